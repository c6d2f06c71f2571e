"""Reads partitions side by side, in the order their records were appended, and no more of each than fits in memory.

A service applied the records roughly in that order; and the fewer of them come before what they need, the fewer wait.
"""

from collections import deque
from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Any, Self

from confluent_kafka import KafkaError, Message, TopicPartition

from stream.kafka.client_config import Cluster
from stream.kafka.position import Partition
from stream.kafka.producer import CLIENT
from stream.replay.offsets import OffsetRange
from stream.replay.spec import ReplayImpossible

CONSUMER: dict[str, Any] = {
    **CLIENT,
    "enable.auto.commit": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
    "queued.max.messages.kbytes": 8_192,
    "fetch.message.max.bytes": 262_144,
    "check.crcs": False,
    "fetch.wait.max.ms": 10,  # what is asked for is there already: only a partition's end is ever waited for
}
GROUP = "replay"
"""The client needs a group; partitions are assigned, and nothing is committed."""
AT_ONCE = 500
WAIT_S = 0.2
MOST_HELD = 20_000
"""So many records may be held, each partition an equal part: one that is ahead of the others then has to pause."""
MOST_HELD_BYTES = 64_000_000
"""The same for the bytes of their values."""
MOST_TAKEN_BYTES = 64_000_000
"""A batch with this many bytes is full, whatever its number of records."""


class Reading:
    """The records of these spans, merged by the time they were appended."""

    def __init__(self, cluster: Cluster, spans: Mapping[Partition, OffsetRange]) -> None:
        self._ends = {where: span.end for where, span in spans.items() if span.first < span.end}
        self._next = {where: spans[where].first for where in self._ends}
        self._held: dict[Partition, deque[Message]] = {where: deque() for where in self._ends}
        self._hungry = set(self._ends)  # of these the next record is not here yet
        self._heads: list[tuple[int, Partition]] = []
        self._bytes = dict.fromkeys(self._ends, 0)
        self._share = max(MOST_HELD // max(len(self._ends), 1), 100)
        self._share_of_bytes = MOST_HELD_BYTES // max(len(self._ends), 1)
        self._paused: set[Partition] = set()
        self._consumer = cluster.consumer(GROUP, CONSUMER)
        self._consumer.assign([TopicPartition(*where, first) for where, first in self._next.items()])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def take(self, most: int) -> list[Message]:
        """The next records, at most so many; none when all was read."""
        taken: list[Message] = []
        size = 0
        while len(taken) < most and size < MOST_TAKEN_BYTES and self._fill():
            _, where = heappop(self._heads)
            held = self._held[where]
            message = held.popleft()
            taken.append(message)
            size += len(message)
            self._bytes[where] -= len(message)
            if held:
                heappush(self._heads, (_appended(held[0]), where))
            elif self._next[where] < self._ends[where]:
                self._hungry.add(where)
            if where in self._paused and self._has_room(where, 4):
                self._go_on(where)
        return taken

    def _fill(self) -> bool:
        """Wait until the next record of every partition is here; whether there is any left."""
        while self._hungry:
            for message in self._fetched():
                self._hold(message)
        return bool(self._heads)

    def _fetched(self) -> list[Message]:
        """Return what has arrived. `consume` alone would wait until AT_ONCE records are there, or WAIT_S is over."""
        first = self._consumer.poll(WAIT_S)
        return [] if first is None else [first, *self._consumer.consume(AT_ONCE, 0)]

    def _hold(self, message: Message) -> None:
        where = (message.topic() or "", message.partition() or 0)
        error, offset = message.error(), message.offset() or 0
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - it has no other name
                self._end(where)
            elif not error.retriable() and error.code() not in PASSING:
                raise ReplayImpossible(f"{where[0]} cannot be read: {error.str()}")
            return None
        if offset < self._next[where] or self._next[where] >= self._ends[where]:
            return None  # read before the pause, or beyond the end
        if offset >= self._ends[where]:
            return self._end(where)
        self._next[where] = offset + 1
        held = self._held[where]
        held.append(message)
        self._bytes[where] += len(message)
        if where in self._hungry:
            self._hungry.remove(where)
            heappush(self._heads, (_appended(message), where))
        if not self._has_room(where) and where not in self._paused:
            self._paused.add(where)
            self._consumer.pause([TopicPartition(*where)])
        return None

    def _has_room(self, where: Partition, part: int = 1) -> bool:
        """Return whether a partition holds less than its share divided by `part`."""
        return len(self._held[where]) * part < self._share and self._bytes[where] * part < self._share_of_bytes

    def _end(self, where: Partition) -> None:
        """Nothing up to its end is left to come: records may be missing there, such as those that were too old."""
        self._next[where] = self._ends[where]
        self._hungry.discard(where)

    def _go_on(self, where: Partition) -> None:
        self._paused.remove(where)
        if self._next[where] < self._ends[where]:
            self._consumer.resume([TopicPartition(*where)])


PASSING = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
        KafkaError._TRANSPORT,  # noqa: SLF001
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._MAX_POLL_EXCEEDED,  # noqa: SLF001
    }
)


def _appended(message: Message) -> int:
    """When the broker appended it, in milliseconds."""
    return int(message.timestamp()[1])
