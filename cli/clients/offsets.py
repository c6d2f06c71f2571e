"""Reads from Kafka the end offsets of the topics and the consumer lag of the services."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from confluent_kafka import KafkaException

from local.messages import CommandError
from stream.events.topics import ALL
from stream.kafka.cluster import Cluster
from stream.kafka.offsets import OffsetLister
from stream.kafka.position import Partition

T = TypeVar("T")
TIMEOUT_S = 5.0


class Kafka:
    """A client of one cluster. Every method raises CommandError when the cluster does not answer."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lister = OffsetLister(cluster, TIMEOUT_S)

    def end_offsets(self) -> dict[Partition, int]:
        """Return the offset after the last record of each partition of our topics; missing topics are left out."""
        return self._call(lambda: self._lister.end(self._lister.existing(ALL)))

    def lag(self, service: str, ends: Mapping[Partition, int]) -> int:
        """Return how many records lie before `ends` that the service's consumer group has not committed.

        Only partitions that the group has committed or is assigned count; 0 without a group. `ends` are end offsets.
        """
        committed = self._call(lambda: self._lister.committed(service))
        partitions = self._call(lambda: self._lister.assigned(service)) | committed.keys()
        return sum(max(0, ends.get(partition, 0) - committed.get(partition, 0)) for partition in partitions)

    def _call(self, query: Callable[[], T]) -> T:
        try:
            return query()
        except KafkaException as failure:
            raise CommandError(
                f"Kafka at {self._cluster.bootstrap_servers} does not answer: {failure.args[0].str()}"
            ) from failure
