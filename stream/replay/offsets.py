"""The offsets at which partitions begin and end, now or at a time, and the positions of a live service.

A position is the next offset to handle.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from stream.events.topics import Topic
from stream.kafka.cluster import Cluster
from stream.kafka.offsets import OffsetLister, partitions_of
from stream.kafka.position import Partition

TIMEOUT_S = 15.0

APPLIED = 'SELECT topic, partition, max("offset") + 1 FROM inbox GROUP BY topic, partition'
OWNED = "SELECT topic, partition, next_offset FROM ownership WHERE next_offset IS NOT NULL"


@dataclass(frozen=True, slots=True)
class OffsetRange:
    """The offsets from `first` up to but excluding `end`."""

    first: int
    end: int


def offset_ranges(cluster: Cluster, topics: Iterable[Topic], to_ms: int | None = None) -> dict[Partition, OffsetRange]:
    """Return the offsets of all records of each partition of these topics; an empty range for one without records.

    With `to_ms` (milliseconds since 1970), only those of records appended up to and in that millisecond. Raises
    KafkaException when Kafka does not answer within TIMEOUT_S, or a topic or partition does not exist.
    """
    wanted, lister = partitions_of(topics), OffsetLister(cluster, TIMEOUT_S)
    first, end = lister.first(wanted), lister.end(wanted)
    found = {partition: OffsetRange(first[partition], end[partition]) for partition in end}
    if to_ms is None:
        return found
    after = lister.at(wanted, to_ms + 1)  # -1: no record is that young
    return {
        partition: OffsetRange(range_.first, after[partition] if after[partition] >= 0 else range_.end)
        for partition, range_ in found.items()
    }


def committed(cluster: Cluster, service: str) -> dict[Partition, int]:
    """Return the next offset that the consumer group of a service has committed, for each partition with one.

    Raises KafkaException when Kafka does not answer within TIMEOUT_S.
    """
    return OffsetLister(cluster, TIMEOUT_S).committed(service)


def group_positions(found: Mapping[Partition, int], topics: Iterable[Topic]) -> dict[Partition, int]:
    """Return the position of a group in each partition of these topics, given the next offsets that it has committed.

    A partition without a committed offset has the position 0. If no partition has one, Kafka has forgotten the group:
    the positions are unknown and the result is empty.
    """
    own = dict.fromkeys(partitions_of(topics), 0)
    known = {partition: offset for partition, offset in found.items() if partition in own}
    return own | known if known else {}


def applied(tx: Connection) -> dict[Partition, int]:
    """Return, by partition, the offset after the last record that is in the inbox.

    The store may be further: duplicates have no inbox row of their own.
    """
    return {(topic, number): after for topic, number, after in tx.exec_driver_sql(APPLIED)}


def owned(tx: Connection) -> dict[Partition, int]:
    """Return the next offsets in the ownership table of a live store, by partition."""
    return {(topic, number): after for topic, number, after in tx.exec_driver_sql(OWNED)}


def furthest(*positions: Mapping[Partition, int]) -> dict[Partition, int]:
    """Return the highest of the positions of each partition that any of the mappings has."""
    together: dict[Partition, int] = {}
    for mapping in positions:
        for partition, offset in mapping.items():
            together[partition] = max(offset, together.get(partition, 0))
    return together
