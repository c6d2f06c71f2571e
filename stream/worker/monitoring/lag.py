"""Updates the gauges of a worker's backlog, also while the worker waits for its store or consumption is stopped."""

import time
from collections.abc import Sequence
from functools import partial

from confluent_kafka import Message

from stream.events.topics import Topic
from stream.kafka.group.consumer import GroupConsumer
from stream.kafka.position import Partition, partition_of
from stream.worker.monitoring import metrics
from stream.worker.monitoring.backlog import Backlog

MEASURE_INTERVAL_S = 5.0


class Lag:
    """Measures the lag in the worker's thread. The ages are computed when Prometheus scrapes them."""

    def __init__(self, consumer: GroupConsumer, topics: Sequence[Topic]) -> None:
        self._consumer = consumer
        self._topics = [topic.name for topic in topics]
        self._backlog = Backlog()
        self._next: dict[Partition, int] = {}
        self._measured_at = time.monotonic()
        for topic in self._topics:
            metrics.LAG.labels(topic).set(0)
            metrics.EVENT_AGE_SECONDS.labels(topic).set_function(partial(self._age, topic))

    def set_in_hand(self, messages: Sequence[Message]) -> None:
        """Replace the batch in hand, which is fetched and not processed: its oldest records count for the age."""
        oldest = {partition_of(message): message for message in reversed(messages)}
        self._backlog.set_in_hand((partition, message.timestamp()[1] / 1000) for partition, message in oldest.items())

    def note_processed(self) -> None:
        """Note that the batch in hand is processed: its records no longer count for the age."""
        self._backlog.set_in_hand(())
        self._backlog.drop_processed(
            {partition: position.next_offset for partition, position in self._consumer.owned.items()}
        )

    def measure_if_due(self) -> None:
        """Measure the lag of all partitions if the last measurement is at least MEASURE_INTERVAL_S old."""
        if time.monotonic() - self._measured_at < MEASURE_INTERVAL_S:
            return
        self._measured_at = time.monotonic()
        self.note_positions()
        self._backlog.update(self._next, self._consumer.ends(self._next), time.time())
        metrics.PARTITIONS_OWNED.set(len(self._consumer.owned))
        lag = self._backlog.lag()
        for topic in self._topics:
            metrics.LAG.labels(topic).set(lag.get(topic, 0))

    def note_positions(self) -> None:
        """Store the positions of the owned partitions for later measurements, during which some may not be owned.

        Call it when partitions are acquired.
        """
        owned, unacquired = self._consumer.owned, self._consumer.partitions.unacquired
        # A partition that is acquired again, as after a failure of the store, keeps its position.
        known = {partition: after for partition, after in self._next.items() if partition in unacquired}
        self._next = known | {partition: position.next_offset for partition, position in owned.items()}

    def _age(self, topic: str) -> float:
        return self._backlog.age(topic, time.time())
