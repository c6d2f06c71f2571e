"""Keeps the gauges of a worker's backlog true, also while it waits for its store or takes nothing."""

import time
from collections.abc import Sequence
from functools import partial

from confluent_kafka import Message

from stream.events.topics import Topic
from stream.kafka.consumer import GroupConsumer
from stream.kafka.position import Partition
from stream.worker import metrics
from stream.worker.backlog import Backlog

LOOK_S = 5.0


class Lag:
    """Used by the worker's thread; the ages are computed when Prometheus asks."""

    def __init__(self, membership: GroupConsumer, topics: Sequence[Topic]) -> None:
        self._membership = membership
        self._topics = [topic.name for topic in topics]
        self._backlog = Backlog()
        self._next: dict[Partition, int] = {}
        self._looked_at = time.monotonic()
        for topic in self._topics:
            metrics.LAG.labels(topic).set(0)
            metrics.EVENT_AGE_SECONDS.labels(topic).set_function(partial(self._age, topic))

    def hold(self, messages: Sequence[Message]) -> None:
        """Learn of the batch in hand, whose oldest records may have waited since before this worker started.

        The oldest record of a partition is its first. Without messages nothing is in hand any more.
        """
        oldest = {(message.topic() or "", message.partition() or 0): message for message in reversed(messages)}
        self._backlog.hold((partition, message.timestamp()[1] / 1000) for partition, message in oldest.items())

    def look_when_due(self) -> None:
        """Compare where partitions end with how far the worker is, every LOOK_S."""
        if time.monotonic() - self._looked_at < LOOK_S:
            return
        self._looked_at = time.monotonic()
        self.note_positions()
        self._backlog.learn(self._next, self._membership.ends(self._next), time.time())
        metrics.PARTITIONS_OWNED.set(len(self._membership.owned))
        lag = self._backlog.lag()
        for topic in self._topics:
            metrics.LAG.labels(topic).set(lag.get(topic, 0))

    def note_positions(self) -> None:
        """Note how far each partition is, which is known only while it is owned: at a take-over, and at each look."""
        owned, kept = self._membership.owned, self._membership.arrived
        # A partition that is taken over anew, as after a failure of the store, is as far as it was.
        known = {partition: after for partition, after in self._next.items() if partition in kept}
        self._next = known | {partition: one.next_offset for partition, one in owned.items()}

    def _age(self, topic: str) -> float:
        return self._backlog.age(topic, time.time())
