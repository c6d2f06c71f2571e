"""Reads several partitions merged in the order in which their records were appended, with bounded memory.

The live service applied the records roughly in that order, so few events have to wait for others.
"""

from collections import deque
from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Self

from confluent_kafka import KafkaError, Message, TopicPartition

from stream.kafka.cluster import Cluster
from stream.kafka.position import Partition, partition_of
from stream.kafka.producer import CLIENT
from stream.replay.offsets import OffsetRange
from stream.replay.spec import ReplayImpossible

CONSUMER: dict[str, object] = {
    **CLIENT,
    "enable.auto.commit": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
    "queued.max.messages.kbytes": 8_192,
    "fetch.message.max.bytes": 262_144,
    "check.crcs": False,
    "fetch.wait.max.ms": 10,  # the records exist already: only the end of a partition is ever waited for
}
GROUP = "replay"
"""The client needs a group id; partitions are assigned, and nothing is committed."""
AT_ONCE = 500
WAIT_S = 0.2
MAX_BUFFERED = 20_000
"""The most records in memory, shared equally by the partitions; a partition that has its share is paused."""
MAX_BUFFERED_BYTES = 64_000_000
"""The most bytes of record values in memory, shared in the same way."""
MAX_BATCH_BYTES = 64_000_000
"""A batch with this many bytes is full, even if it has fewer records than requested."""


class OrderedReader:
    """Reads the records in these ranges of offsets, merged by the time when they were appended.

    It is a context manager, which closes the consumer at the end of the block.
    """

    def __init__(self, cluster: Cluster, ranges: Mapping[Partition, OffsetRange]) -> None:
        self._ends = {partition: range_.end for partition, range_ in ranges.items() if range_.first < range_.end}
        self._next = {partition: ranges[partition].first for partition in self._ends}
        self._buffers: dict[Partition, deque[Message]] = {partition: deque() for partition in self._ends}
        self._awaited = set(self._ends)  # partitions whose next record has not arrived
        self._heads: list[tuple[int, Partition]] = []
        self._bytes = dict.fromkeys(self._ends, 0)
        self._share = max(MAX_BUFFERED // max(len(self._ends), 1), 100)
        self._share_of_bytes = MAX_BUFFERED_BYTES // max(len(self._ends), 1)
        self._paused: set[Partition] = set()
        self._consumer = cluster.consumer(GROUP, CONSUMER)
        self._consumer.assign([TopicPartition(*partition, first) for partition, first in self._next.items()])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def next_batch(self, most: int) -> list[Message]:
        """Return the next records: `most` or, if their bytes exceed MAX_BATCH_BYTES or the end is near, fewer.

        An empty list means that all ranges are read. Waits while Kafka does not answer. Raises ReplayImpossible when a
        partition cannot be read.
        """
        batch: list[Message] = []
        size = 0
        while len(batch) < most and size < MAX_BATCH_BYTES and self._fill():
            _, partition = heappop(self._heads)
            buffer = self._buffers[partition]
            message = buffer.popleft()
            batch.append(message)
            size += len(message)
            self._bytes[partition] -= len(message)
            if buffer:
                heappush(self._heads, (_appended(buffer[0]), partition))
            elif self._next[partition] < self._ends[partition]:
                self._awaited.add(partition)
            if partition in self._paused and self._has_room(partition, 4):
                self._resume(partition)
        return batch

    def _fill(self) -> bool:
        """Wait for the next record of every partition; return whether any record is left."""
        while self._awaited:
            for message in self._fetched():
                self._buffer(message)
        return bool(self._heads)

    def _fetched(self) -> list[Message]:
        """Return the messages that are fetched by now; wait up to WAIT_S for the first.

        `consume` alone would wait until there are AT_ONCE messages.
        """
        first = self._consumer.poll(WAIT_S)
        return [] if first is None else [first, *self._consumer.consume(AT_ONCE, 0)]

    def _buffer(self, message: Message) -> None:
        partition = partition_of(message)
        error, offset = message.error(), message.offset() or 0
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - it has no public name
                self._end(partition)
            elif not error.retriable() and error.code() not in TRANSIENT:
                raise ReplayImpossible(f"{partition[0]} cannot be read: {error.str()}")
            return None
        if offset < self._next[partition] or self._next[partition] >= self._ends[partition]:
            return None  # read again after a pause, or beyond the end
        if offset >= self._ends[partition]:
            return self._end(partition)
        self._next[partition] = offset + 1
        buffer = self._buffers[partition]
        buffer.append(message)
        self._bytes[partition] += len(message)
        if partition in self._awaited:
            self._awaited.remove(partition)
            heappush(self._heads, (_appended(message), partition))
        if not self._has_room(partition) and partition not in self._paused:
            self._paused.add(partition)
            self._consumer.pause([TopicPartition(*partition)])
        return None

    def _has_room(self, partition: Partition, part: int = 1) -> bool:
        """Return whether the buffer of a partition is smaller than the share of a partition divided by `part`."""
        return (
            len(self._buffers[partition]) * part < self._share and self._bytes[partition] * part < self._share_of_bytes
        )

    def _end(self, partition: Partition) -> None:
        """Mark a partition as read, though its last records may not have come: expired ones are missing."""
        self._next[partition] = self._ends[partition]
        self._awaited.discard(partition)

    def _resume(self, partition: Partition) -> None:
        self._paused.remove(partition)
        if self._next[partition] < self._ends[partition]:
            self._consumer.resume([TopicPartition(*partition)])


TRANSIENT = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
        KafkaError._TRANSPORT,  # noqa: SLF001
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._MAX_POLL_EXCEEDED,  # noqa: SLF001
    }
)


def _appended(message: Message) -> int:
    """Return when the broker appended the message, in milliseconds since 1970."""
    return int(message.timestamp()[1])
