"""The backlog of a worker in each topic: unprocessed records, and the age of the oldest. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from stream.kafka.position import Partition


class Backlog:
    """Learns where partitions end and how far the worker is; times are seconds since 1970.

    The age of a record in hand is exact, for Kafka told when it took it. The age of one that was not fetched, as while
    consumption is stopped, counts from the moment when this worker first saw that there is one.
    """

    def __init__(self) -> None:
        self._behind: dict[Partition, int] = {}
        self._next: dict[Partition, int] = {}
        self._since: dict[Partition, float] = {}
        self._in_hand: dict[Partition, float] = {}

    def learn(self, next_offsets: Mapping[Partition, int], ends: Mapping[Partition, int], now: float) -> None:
        """Replace what is known by these partitions: the next offset to process, and where each ends."""
        behind = {partition: ends[partition] - after for partition, after in next_offsets.items() if partition in ends}
        stuck = {partition for partition, after in next_offsets.items() if self._next.get(partition) == after}
        self._behind = {partition: count for partition, count in behind.items() if count > 0}
        self._since = {one: self._since.get(one, now) if one in stuck else now for one in self._behind}
        self._next = dict(next_offsets)

    def hold(self, taken_at: Iterable[tuple[Partition, float]]) -> None:
        """Replace the records in hand: each with its partition and the time when Kafka took it."""
        oldest: dict[Partition, float] = {}
        for partition, at in taken_at:
            oldest[partition] = min(at, oldest.get(partition, at))
        self._in_hand = oldest

    def lag(self) -> dict[str, int]:
        """Return how many records of each topic are not processed; a topic without any is left out."""
        counts: dict[str, int] = defaultdict(int)
        for (topic, _), count in self._behind.items():
            counts[topic] += count
        return dict(counts)

    def age(self, topic: str, now: float) -> float:
        """Return the age of the oldest record of `topic` that is not processed, in seconds; 0 when there is none."""
        waiting = (*list(self._since.items()), *list(self._in_hand.items()))
        since = [at for (name, _), at in waiting if name == topic]
        return max(0.0, now - min(since)) if since else 0.0
