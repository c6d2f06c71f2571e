"""The backlog of a worker in each topic: unprocessed records, and the age of the oldest. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from stream.kafka.position import Partition


class Backlog:
    """Computes lag and age from the ends of partitions and the positions of the worker; times are seconds since 1970.

    The age of a record in hand, one that is fetched and not processed, is exact: its timestamp is the time of Kafka's
    append. The age of a record that is not fetched, as while consumption is stopped, counts from the first `update`
    that includes the record.
    """

    def __init__(self) -> None:
        self._behind: dict[Partition, int] = {}
        self._next: dict[Partition, int] = {}
        self._since: dict[Partition, float] = {}
        self._in_hand: dict[Partition, float] = {}

    def update(self, next_offsets: Mapping[Partition, int], ends: Mapping[Partition, int], now: float) -> None:
        """Replace all known partitions by these, given the next offset to process and the end offset of each.

        A partition without an end offset has no lag.
        """
        behind = {partition: ends[partition] - after for partition, after in next_offsets.items() if partition in ends}
        stuck = {partition for partition, after in next_offsets.items() if self._next.get(partition) == after}
        self._behind = {partition: count for partition, count in behind.items() if count > 0}
        self._since = {
            partition: self._since.get(partition, now) if partition in stuck else now for partition in self._behind
        }
        self._next = dict(next_offsets)

    def drop_processed(self, next_offsets: Mapping[Partition, int]) -> None:
        """End the age of partitions in which all records that the last `update` knew are processed by now.

        The lag changes only with the next `update`.
        """
        done = {partition for partition in self._since if next_offsets.get(partition, 0) >= self._end(partition)}
        self._since = {partition: at for partition, at in self._since.items() if partition not in done}

    def set_in_hand(self, appended_at: Iterable[tuple[Partition, float]]) -> None:
        """Replace the records in hand by these, each given by its partition and the time when Kafka appended it."""
        oldest: dict[Partition, float] = {}
        for partition, at in appended_at:
            oldest[partition] = min(at, oldest.get(partition, at))
        self._in_hand = oldest

    def lag(self) -> dict[str, int]:
        """Return the number of unprocessed records by topic at the last `update`; topics without any are left out."""
        counts: dict[str, int] = defaultdict(int)
        for (topic, _), count in self._behind.items():
            counts[topic] += count
        return dict(counts)

    def age(self, topic: str, now: float) -> float:
        """Return the age of the oldest unprocessed record of `topic` in seconds; 0 without one."""
        waiting = (*list(self._since.items()), *list(self._in_hand.items()))
        since = [at for (name, _), at in waiting if name == topic]
        return max(0.0, now - min(since)) if since else 0.0

    def _end(self, partition: Partition) -> int:
        return self._next[partition] + self._behind[partition]
