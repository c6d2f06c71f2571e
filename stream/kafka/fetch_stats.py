"""Whether a consumer reads what is its own, by librdkafka's statistics (its STATISTICS.md)."""

from collections.abc import Collection

import msgspec

from stream.kafka.position import Partition

LOOK_MS = 5_000
QUIET_S = 3 * LOOK_MS / 1000
READING = "active"
"""The `fetch_state` of a partition that is fetched from, or would be if it were not paused."""


class _Partition(msgspec.Struct):
    partition: int
    fetch_state: str


class _Topic(msgspec.Struct):
    partitions: dict[str, _Partition]


class _Statistics(msgspec.Struct):
    topics: dict[str, _Topic]


_decoder = msgspec.json.Decoder(_Statistics)


class FetchStats:
    """What the last statistics said of `topics`, and when they came: monotonic seconds."""

    def __init__(self, topics: Collection[str], now: float) -> None:
        self._topics = topics
        self._reading: set[Partition] = set()
        self._told_at = now

    def told(self, statistics: str, now: float) -> None:
        """Learn what is read; librdkafka tells it every LOOK_MS to whoever polls."""
        topics = _decoder.decode(statistics).topics
        self._reading = {
            (name, one.partition)
            for name, topic in topics.items()
            for one in topic.partitions.values()
            if one.fetch_state == READING
        }
        self._told_at = now

    def unread(self, assigned: Collection[Partition], now: float) -> set[str]:
        """The topics of which something assigned is not read.

        All topics when librdkafka itself has gone quiet: it tells its statistics also when nothing is assigned.
        """
        if now - self._told_at > QUIET_S:
            return set(self._topics)
        return {partition[0] for partition in assigned if partition not in self._reading}
