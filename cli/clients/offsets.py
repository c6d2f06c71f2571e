"""Where Kafka's topics end, and how far behind the services are."""

from collections.abc import Callable, Mapping
from concurrent.futures import wait
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined] # exported, but not said so

from local.messages import Trouble
from stream.events.topics import ALL
from stream.kafka.client_config import Cluster

TIMEOUT_S = 5.0
Partition = tuple[str, int]


class Kafka:
    """Asks a cluster; raises Trouble when it does not answer."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._admin = cluster.admin()

    def ends(self) -> dict[Partition, int]:
        """Where each partition of our topics ends."""
        topics = self._ask(self._cluster.metadata, timeout_s=TIMEOUT_S).topics
        partitions = [
            TopicPartition(topic.name, number)
            for topic in ALL
            if topic.name in topics
            for number in topics[topic.name].partitions
        ]
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        # To ask for nothing is an error to the client.
        asked = self._admin.list_offsets(dict.fromkeys(partitions, latest)) if partitions else {}
        wait(asked.values(), TIMEOUT_S)  # all of them: a client is not to be let go while it is still asking
        return {
            (each.topic, each.partition): self._ask(answer.result, timeout=TIMEOUT_S).offset
            for each, answer in asked.items()
        }

    def lag(self, group: str, ends: Mapping[Partition, int]) -> int:
        """Return how many records a service's group has not committed, in the partitions it is known to read."""
        committed = self._committed(group)
        partitions = self._assigned(group) | committed.keys()
        return sum(max(0, ends.get(each, 0) - committed.get(each, 0)) for each in partitions)

    def _committed(self, group: str) -> dict[Partition, int]:
        (answer,) = self._admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(self._cluster.group(group))]
        ).values()
        found = self._ask(answer.result, timeout=TIMEOUT_S).topic_partitions
        return {(each.topic, each.partition): each.offset for each in found if each.offset >= 0}

    def _assigned(self, group: str) -> set[Partition]:
        """Also those of which nothing was committed yet."""
        (answer,) = self._admin.describe_consumer_groups([self._cluster.group(group)]).values()
        try:
            members = answer.result(TIMEOUT_S).members
        except KafkaException:  # a group nobody has joined yet
            return set()
        return {
            (each.topic, each.partition)
            for member in members
            if member.assignment
            for each in member.assignment.topic_partitions
        }

    def _ask(self, question: Callable[..., Any], **arguments: object) -> Any:
        try:
            return question(**arguments)
        except KafkaException as failure:
            raise Trouble(
                f"Kafka at {self._cluster.bootstrap_servers} does not answer: {failure.args[0].str()}"
            ) from failure
