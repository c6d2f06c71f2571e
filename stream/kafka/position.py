"""Partitions as consumers and stores name them, and how a store owns one."""

from typing import NamedTuple

Partition = tuple[str, int]
"""A topic's name and the partition's number."""


class Owned(NamedTuple):
    """A partition as its owner took it over; events below `rewound_until` may have been handled before a restore."""

    epoch: int
    next_offset: int
    rewound_until: int = 0
