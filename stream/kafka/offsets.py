"""Lists offsets: where partitions begin and end, now or at a time, and what a consumer group has committed."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future, wait
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined] # not declared as exported

from stream.events.topics import PARTITIONS, Topic
from stream.kafka.cluster import Cluster
from stream.kafka.position import Partition


def partitions_of(topics: Iterable[Topic]) -> list[Partition]:
    """Return the partitions that these topics have by design: PARTITIONS of each, without asking Kafka."""
    return [(topic.name, number) for topic in topics for number in range(PARTITIONS)]


class OffsetLister:
    """Lists offsets through an admin client of one cluster.

    Each method but `assigned` raises KafkaException when Kafka does not answer within `timeout_s` seconds; `first`,
    `end` and `at` also for a partition that does not exist.
    """

    def __init__(self, cluster: Cluster, timeout_s: float) -> None:
        self._cluster = cluster
        self._admin = cluster.admin()
        self._timeout_s = timeout_s

    def existing(self, topics: Iterable[Topic]) -> list[Partition]:
        """Return the partitions that the topics have in Kafka; topics that do not exist are left out."""
        known = self._cluster.metadata(self._timeout_s).topics
        return [
            (topic.name, number) for topic in topics if topic.name in known for number in known[topic.name].partitions
        ]

    def first(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Return the offset of the first record that each partition still has; the end offset if it has none."""
        return self._list(partitions, OffsetSpec.earliest())  # type: ignore[no-untyped-call]

    def end(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Return the offset after the last record of each partition."""
        return self._list(partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]

    def at(self, partitions: Iterable[Partition], time_ms: int) -> dict[Partition, int]:
        """Return, by partition, the offset of the first record appended at `time_ms` or later; -1 without one.

        `time_ms` is in milliseconds since 1970 UTC.
        """
        return self._list(partitions, OffsetSpec.for_timestamp(time_ms))

    def committed(self, service: str) -> dict[Partition, int]:
        """Return the next offset that the consumer group of a service has committed, for each partition with one."""
        request = [ConsumerGroupTopicPartitions(self._cluster.group(service))]
        (answer,) = self._results(self._admin.list_consumer_group_offsets(request)).values()
        return {(each.topic, each.partition): each.offset for each in answer.topic_partitions if each.offset >= 0}

    def assigned(self, service: str) -> set[Partition]:
        """Return the partitions assigned to members of a service's group. They may have no committed offset yet.

        The result is empty if the group does not exist, and also if Kafka does not answer.
        """
        try:
            (group,) = self._results(self._admin.describe_consumer_groups([self._cluster.group(service)])).values()
        except KafkaException:  # the group does not exist before its first member joins
            return set()
        return {
            (partition.topic, partition.partition)
            for member in group.members
            if member.assignment
            for partition in member.assignment.topic_partitions
        }

    def _list(self, partitions: Iterable[Partition], spec: OffsetSpec) -> dict[Partition, int]:
        wanted = {TopicPartition(*partition): spec for partition in partitions}
        if not wanted:  # the client rejects an empty request
            return {}
        answers = self._results(self._admin.list_offsets(wanted, request_timeout=self._timeout_s))
        return {(each.topic, each.partition): answer.offset for each, answer in answers.items()}

    def _results(self, futures: Mapping[Any, "Future[Any]"]) -> dict[Any, Any]:
        """Return the results of all futures, by key.

        It waits for all of them, because the client must not be closed during a request.
        """
        if wait(futures.values(), self._timeout_s).not_done:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - its public name
        return {key: future.result() for key, future in futures.items()}
