"""Partitions, the positions of records in them, and the state of a partition that a worker owns."""

from collections.abc import Collection
from typing import NamedTuple

from confluent_kafka import Message

Partition = tuple[str, int]
"""A topic's name and the partition's number."""


class Position(NamedTuple):
    """The position of a record."""

    topic: str
    partition: int
    offset: int

    @property
    def topic_partition(self) -> Partition:
        return self.topic, self.partition


class EventPosition(NamedTuple):
    """An event's id, and the position of its record."""

    event_id: str
    topic: str
    partition: int
    offset: int

    @property
    def topic_partition(self) -> Partition:
        return self.topic, self.partition


class Owned(NamedTuple):
    """The state of an acquired partition: its fencing token `epoch`, and the offset of the next record to handle.

    Records below the offset `rewound_until` may have been handled before the store was restored; 0 if it never was.
    """

    epoch: int
    next_offset: int
    rewound_until: int = 0


def partition_of(message: Message) -> Partition:
    """Return the partition that a record was read from."""
    return message.topic() or "", message.partition() or 0


def columns_of(partitions: Collection[Partition]) -> dict[str, list[str] | list[int]]:
    """Return the partitions as two columns, `topics` and `partitions`, which a statement joins with `unnest`."""
    return {"topics": [topic for topic, _ in partitions], "partitions": [number for _, number in partitions]}
