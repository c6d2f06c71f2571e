"""End offsets of the topics and consumer lag of the services."""

from collections.abc import Callable, Mapping
from concurrent.futures import wait
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined] # not in __all__

from local.messages import CommandError
from stream.events.topics import ALL
from stream.kafka.client_config import Cluster

TIMEOUT_S = 5.0
Partition = tuple[str, int]


class Kafka:
    """A client of one cluster. Every method raises CommandError when the cluster does not answer."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._admin = cluster.admin()

    def end_offsets(self) -> dict[Partition, int]:
        """Return the end offset of each partition of our topics."""
        topics = self._call(self._cluster.metadata, timeout_s=TIMEOUT_S).topics
        partitions = [
            TopicPartition(topic.name, number)
            for topic in ALL
            if topic.name in topics
            for number in topics[topic.name].partitions
        ]
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        # An empty request is an error to the client.
        futures = self._admin.list_offsets(dict.fromkeys(partitions, latest)) if partitions else {}
        wait(futures.values(), TIMEOUT_S)  # for all of them: the client must not be closed during a request
        return {
            (partition.topic, partition.partition): self._call(future.result, timeout=TIMEOUT_S).offset
            for partition, future in futures.items()
        }

    def lag(self, group: str, ends: Mapping[Partition, int]) -> int:
        """Return the records that a service's group has not committed, over its committed and assigned partitions."""
        committed = self._committed(group)
        partitions = self._assigned(group) | committed.keys()
        return sum(max(0, ends.get(partition, 0) - committed.get(partition, 0)) for partition in partitions)

    def _committed(self, group: str) -> dict[Partition, int]:
        (answer,) = self._admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(self._cluster.group(group))]
        ).values()
        found = self._call(answer.result, timeout=TIMEOUT_S).topic_partitions
        return {
            (partition.topic, partition.partition): partition.offset for partition in found if partition.offset >= 0
        }

    def _assigned(self, group: str) -> set[Partition]:
        """Return the partitions assigned to members of the group. They may have no committed offset yet."""
        (answer,) = self._admin.describe_consumer_groups([self._cluster.group(group)]).values()
        try:
            members = answer.result(TIMEOUT_S).members
        except KafkaException:  # the group does not exist before its first member joins
            return set()
        return {
            (partition.topic, partition.partition)
            for member in members
            if member.assignment
            for partition in member.assignment.topic_partitions
        }

    def _call(self, function: Callable[..., Any], **arguments: object) -> Any:
        try:
            return function(**arguments)
        except KafkaException as failure:
            raise CommandError(
                f"Kafka at {self._cluster.bootstrap_servers} does not answer: {failure.args[0].str()}"
            ) from failure
