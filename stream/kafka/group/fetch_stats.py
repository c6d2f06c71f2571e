"""Finds assigned partitions that a consumer does not fetch from, by librdkafka's statistics (its STATISTICS.md)."""

from collections.abc import Collection

import msgspec

from stream.kafka.position import Partition

INTERVAL_MS = 5_000
STALE_S = 3 * INTERVAL_MS / 1000
FETCHING = "active"
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
    """The partitions that a consumer of `topics` fetches from, by its last statistics. Times are monotonic seconds."""

    def __init__(self, topics: Collection[str], now: float) -> None:
        self._topics = topics
        self._fetching: set[Partition] = set()
        self._updated_at = now

    def update(self, statistics: str, now: float) -> None:
        """Read librdkafka's statistics (JSON), which its callback delivers every INTERVAL_MS during polls."""
        topics = _decoder.decode(statistics).topics
        self._fetching = {
            (name, partition.partition)
            for name, topic in topics.items()
            for partition in topic.partitions.values()
            if partition.fetch_state == FETCHING
        }
        self._updated_at = now

    def unread(self, assigned: Collection[Partition], now: float) -> set[str]:
        """Return the topics with an assigned partition that is not fetched from; empty if all are.

        Return all topics when the statistics are older than STALE_S: librdkafka delivers them even when no partition is
        assigned, so librdkafka itself is then stuck.
        """
        if now - self._updated_at > STALE_S:
            return set(self._topics)
        return {partition[0] for partition in assigned if partition not in self._fetching}
