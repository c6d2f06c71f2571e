"""The loop of every service behind Kafka: one thread, one consumer, one transaction a batch.

Consume → decode → transaction (ownership, inbox, state, outbox) → publish the outbox → tell outcomes → store offsets.
A crash between any two steps delivers the batch again, and the inbox knows it.
"""

import time
from collections.abc import Callable, Sequence
from threading import Event
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from sqlalchemy import Engine, exc

from runtime.health import Health
from runtime.logging import log
from runtime.settings import StoreSettings
from stream import ids, metrics, outbox, ownership, topic_admin
from stream.batch import Applied, Batch, Handler, Unreadable, identity, partitions
from stream.codec import Codec, Undecodable
from stream.inbox import Delivery
from stream.ownership import Fenced, Partition
from stream.publisher import Publisher
from stream.registry import UnknownSchema
from stream.topics import Topic

CONSUMER: dict[str, Any] = {
    "group.protocol": "consumer",  # KIP-848; no static membership, see docs/decisions
    "enable.auto.commit": True,
    "enable.auto.offset.store": False,
    "auto.commit.interval.ms": 1000,
    "auto.offset.reset": "earliest",
    "allow.auto.create.topics": False,
    "queued.max.messages.kbytes": 16_384,
    "socket.keepalive.enable": True,
    "log_level": 3,
}
POLL_S = 0.2
BACKOFF_S = (0.1, 5.0)
STUCK_S = 60.0
STORE_FAILED = (exc.OperationalError, exc.InternalError, exc.IntegrityError, OSError)


class Worker:
    """Applies the events of `topics` to the store of `service`, each exactly once in effect."""

    def __init__(
        self,
        service: str,
        topics: Sequence[Topic],
        handler: Handler,
        settings: StoreSettings,
        store: Engine,
        codec: Codec,
    ) -> None:
        self._topics = topics
        self._settings = settings
        self._store = store
        self._codec = codec
        self._batch = Batch(service, codec, handler)
        self._publisher = Publisher(settings.kafka_bootstrap_servers, while_waiting=self._keep_membership)
        self._consumer = Consumer(
            {**CONSUMER, "group.id": service, "bootstrap.servers": settings.kafka_bootstrap_servers}
        )
        self._epochs: dict[Partition, int] = {}
        self._arrived: set[Partition] = set()
        self._published: list[int] = []
        self._held: list[Message] = []
        self._problem: str | None = "has not joined its consumer group yet"
        self._turned_at = time.monotonic()
        self.on_commit: Callable[[], None] = lambda: None

    def watch(self, health: Health) -> None:
        """Let `health` know how this worker is."""
        health.ready_while(lambda: self._problem)
        health.live_while(
            lambda: "the worker's loop is stuck" if time.monotonic() - self._turned_at > STUCK_S else None
        )

    def run(self, stop: Event) -> None:
        """Work until `stop` is set; the batch in hand is finished and its offsets are committed."""
        topic_admin.check(self._settings.kafka_bootstrap_servers, self._topics)
        self._consumer.subscribe(
            [topic.name for topic in self._topics],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_revoke,
        )
        try:
            while not stop.is_set():
                self._persevere(self._consume(), stop)
        finally:
            self._consumer.close()

    def _consume(self) -> list[Message]:
        self._turned_at = time.monotonic()
        messages, self._held = self._held, []
        first = self._consumer.poll(0 if messages else POLL_S)
        if first is not None:
            messages += [first, *self._consumer.consume(self._settings.batch_size - 1, 0)]
        return [message for message in messages if not _failed(message)]

    def _persevere(self, messages: list[Message], stop: Event) -> None:
        """Apply the batch; when the store fails, keep our place in the group and try the same batch again."""
        wait, longest = BACKOFF_S
        while not stop.is_set():
            try:
                self._turn(messages)
            except Fenced as fenced:
                metrics.FENCED.inc(len(fenced.partitions))
                log.warning("worker.fenced", error=str(fenced))
                self._forget(fenced.partitions)
            except STORE_FAILED as failure:
                metrics.STORE_FAILURES.inc()
                self._problem = f"the store fails: {type(failure).__name__}"
                log.warning("store.failed", error=str(getattr(failure, "orig", failure)).strip(), seconds=wait)
                self._wait(wait, stop)
                wait = min(wait * 2, longest)
            else:
                return self._consumer.resume(self._consumer.assignment())

    def _turn(self, messages: list[Message]) -> None:
        if self._arrived:
            self._take_over()
        ours = [message for message in messages if (message.topic(), message.partition()) in self._epochs]
        if ours or self._published:
            with metrics.BATCH_SECONDS.time():
                self._apply([self._delivery(message) for message in ours])
        if self._epochs:
            self._problem = None

    def _take_over(self) -> None:
        """Own the partitions that were assigned, then publish what a former owner may not have."""
        arrived = sorted(self._arrived)
        with self._store.begin() as tx:
            epochs = ownership.take(tx, arrived)
            left = outbox.left(tx, arrived)
        self._publisher.publish([message for _, message in left])
        self._published += [row for row, _ in left]
        self._epochs |= {partition: epoch for partition, epoch in epochs.items() if partition in self._arrived}
        self._arrived -= set(arrived)

    def _apply(self, deliveries: list[Delivery]) -> None:
        with self._store.begin() as tx:
            if deliveries:
                ownership.hold(tx, {partition: self._epochs[partition] for partition in partitions(deliveries)})
            outbox.delete(tx, self._published)
            applied = self._batch.apply(tx, deliveries) if deliveries else Applied([], [], [])
        self._published = []
        self.on_commit()
        outcomes = [self._batch.outcome_message(*outcome) for outcome in applied.outcomes]
        self._publisher.publish([*applied.messages, *outcomes])
        self._published = applied.rows
        self._store_offsets(deliveries)
        _report(applied)

    def _delivery(self, message: Message) -> Delivery:
        where = (message.topic() or "", message.partition() or 0, message.offset() or 0)
        try:
            event = self._codec.decode(message.value())
            event_id, digest = identity(event)
        except (Undecodable, UnknownSchema, TypeError) as broken:
            unreadable = Unreadable(key=message.key(), value=message.value(), error=str(broken))
            return Delivery(unreadable, ids.unreadable_record_id(*where), None, *where)
        return Delivery(event, event_id, digest, *where)

    def _store_offsets(self, deliveries: list[Delivery]) -> None:
        ends: dict[Partition, int] = {}
        for delivery in deliveries:
            partition = (delivery.topic, delivery.partition)
            ends[partition] = max(ends.get(partition, 0), delivery.offset + 1)
        try:
            self._consumer.store_offsets(offsets=[TopicPartition(*where, end) for where, end in ends.items()])
        except KafkaException as lost:  # the partition has moved on; its next owner's inbox knows the batch
            log.info("offsets.lost", error=str(lost))

    def _keep_membership(self) -> None:
        """Poll without taking new work, so that the group does not give our partitions away while we wait."""
        self._turned_at = time.monotonic()
        self._consumer.pause(self._consumer.assignment())
        message = self._consumer.poll(0)
        if message is not None:
            self._held.append(message)

    def _wait(self, seconds: float, stop: Event) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not stop.wait(min(POLL_S, seconds)):
            self._keep_membership()

    def _on_assign(self, _: Consumer, assigned: list[TopicPartition]) -> None:
        self._problem = None
        self._arrived |= {(partition.topic, partition.partition) for partition in assigned}

    def _on_revoke(self, _: Consumer, revoked: list[TopicPartition]) -> None:
        self._forget({(partition.topic, partition.partition) for partition in revoked})

    def _forget(self, gone: set[Partition] | frozenset[Partition]) -> None:
        self._arrived -= gone
        self._epochs = {partition: epoch for partition, epoch in self._epochs.items() if partition not in gone}


def _failed(message: Message) -> bool:
    error = message.error()
    if error is None:
        return False
    if error.fatal():
        raise SystemExit(f"Kafka's consumer has failed for good: {error.str()}")
    log.warning("consume.failed", error=error.str())
    return True


def _report(applied: Applied) -> None:
    for delivery, outcome in applied.outcomes:
        metrics.EVENTS.labels(outcome).inc()
        log.info(f"webhook.{outcome}", id=delivery.event_id, topic=delivery.topic)
    for message in applied.messages:
        metrics.FACTS.labels(message.topic).inc()
