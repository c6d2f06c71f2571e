"""Finds out that a consumer is deaf: Kafka has assigned it partitions, and it does not begin to read them.

Seen with librdkafka 2.16 when a broker froze just after an assignment: the offsets that were asked for never came, no
error was told, and the member kept its place for as long as it lived. Nothing but another process helps then.
"""

from collections.abc import Collection

import msgspec

from stream.ownership import Partition

LOOK_MS = 5_000
DEAF_S = 30.0
READING = "active"
"""What librdkafka's statistics call a partition that is fetched from (STATISTICS.md, `fetch_state`)."""


class _Partition(msgspec.Struct):
    partition: int
    fetch_state: str


class _Topic(msgspec.Struct):
    partitions: dict[str, _Partition]


class _Statistics(msgspec.Struct):
    topics: dict[str, _Topic]


_decoder = msgspec.json.Decoder(_Statistics)


class Deafness:
    """Since when which partitions are ours and not read; times are monotonic seconds."""

    def __init__(self) -> None:
        self.unread: set[Partition] = set()
        self._since: float | None = None

    def told(self, statistics: str, assigned: Collection[Partition], now: float) -> None:
        """Learn from librdkafka's statistics what is read of what is assigned."""
        topics = _decoder.decode(statistics).topics
        states = {
            (name, one.partition): one.fetch_state
            for name, topic in topics.items()
            for one in topic.partitions.values()
        }
        self.unread = {partition for partition in assigned if states.get(partition) != READING}
        if not self.unread:
            self._since = None
        elif self._since is None:
            self._since = now

    def forget(self) -> None:
        """Begin anew: while a member waits, or Kafka is away, nothing can be read."""
        self.unread, self._since = set(), None

    def is_suspected(self, now: float) -> bool:
        """Whether it has lasted longer than an assignment ever takes."""
        return self._since is not None and now - self._since > DEAF_S
