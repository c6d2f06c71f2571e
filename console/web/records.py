"""Reads records of Kafka by their positions, for what the log does not have: the whole record of a webhook or event."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stream.avro.codec import Codec
from stream.kafka import topic_reader
from stream.kafka.cluster import Cluster
from stream.kafka.position import Position


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a cluster, decoded by `codec`; `mode` is that of this system."""

    cluster: Cluster
    codec: Codec
    mode: str

    def at(self, positions: Sequence[Position]) -> Iterator[tuple[Position, bytes | None]]:
        """Yield each position with its record's value, None if it has expired.

        Raises KafkaUnavailable when Kafka does not answer.
        """
        return topic_reader.read_at(self.cluster, positions)
