"""Partitions, and the state of a partition that a worker owns."""

from typing import NamedTuple

from confluent_kafka import Message

Partition = tuple[str, int]
"""A topic's name and the partition's number."""


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
