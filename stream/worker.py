"""The loop of every service behind Kafka: one thread, one consumer, one transaction a batch.

Consume → decode → transaction (ownership, inbox, state, outbox) → publish the outbox → tell outcomes → store offsets.
A crash between any two steps delivers the batch again, and the inbox knows it.
"""

import time
from collections.abc import Callable, Sequence
from threading import Event

from confluent_kafka import Message
from sqlalchemy import Engine, exc

from runtime.health import Health
from runtime.logging import log
from runtime.settings import StoreSettings
from stream import batch, delivery, metrics, outbox, ownership, topic_admin
from stream.batch import Applied, Handler
from stream.codec import Codec
from stream.delivery import Delivery
from stream.membership import Membership
from stream.messages import Messages
from stream.ownership import Fenced
from stream.publisher import Publisher
from stream.topics import Topic

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
        self._handler = handler
        self._codec = codec
        self._messages = Messages(service, codec)
        self._membership = Membership(service, settings.kafka_bootstrap_servers, topics)
        self._publisher = Publisher(settings.kafka_bootstrap_servers, while_waiting=self._stay)
        self._published: list[int] = []
        self._failure: str | None = None
        self._turned_at = time.monotonic()
        self.on_commit: Callable[[], None] = lambda: None
        self.worth_telling: Callable[[Delivery], bool] = lambda _: True

    def watch(self, health: Health) -> None:
        """Let `health` know how this worker is."""
        health.ready_while(lambda: None if self._membership.joined else "has not joined its consumer group yet")
        health.ready_while(lambda: self._failure)
        health.live_while(lambda: "the loop is stuck" if time.monotonic() - self._turned_at > STUCK_S else None)

    def run(self, stop: Event) -> None:
        """Work until `stop` is set; the batch in hand is finished and its offsets are committed."""
        topic_admin.check(self._settings.kafka_bootstrap_servers, self._topics)
        self._membership.join()
        try:
            while not stop.is_set():
                self._turned_at = time.monotonic()
                self._persevere(self._membership.consume(self._settings.batch_size), stop)
        finally:
            self._membership.leave()

    def _persevere(self, messages: list[Message], stop: Event) -> None:
        """Apply the batch; when the store fails, keep our place in the group and try the same batch again."""
        wait, longest = BACKOFF_S
        while not stop.is_set():
            try:
                self._turn(messages)
            except Fenced as fenced:
                metrics.FENCED.inc(len(fenced.partitions))
                log.warning("worker.fenced", error=str(fenced))
                self._membership.rejoin()
            except STORE_FAILED as failure:
                metrics.STORE_FAILURES.inc()
                self._failure = f"the store fails: {type(failure).__name__}"
                log.warning("store.failed", error=str(getattr(failure, "orig", failure)).strip(), seconds=wait)
                self._membership.reclaim()
                self._wait(wait, stop)
                wait = min(wait * 2, longest)
            else:
                self._failure = None
                return self._membership.resume()

    def _turn(self, messages: list[Message]) -> None:
        if self._membership.arrived:
            self._take_over()
        ours = [message for message in messages if self._membership.owns(message)]
        if ours or self._published:
            with metrics.BATCH_SECONDS.time():
                self._apply([delivery.read(self._codec, message) for message in ours])

    def _take_over(self) -> None:
        """Own the partitions that were assigned, then publish what a former owner may not have."""
        arrived = sorted(self._membership.arrived)
        with self._store.begin() as tx:
            epochs = ownership.take(tx, arrived)
            left = outbox.left(tx, arrived)
        self._publisher.publish([message for _, message in left])
        self._published += [row for row, _ in left]
        self._membership.own(epochs)

    def _apply(self, deliveries: list[Delivery]) -> None:
        applied = Applied()
        with self._store.begin() as tx:
            outbox.delete(tx, self._published)
            if deliveries:
                ownership.hold(tx, {one: self._membership.epochs[one] for one in delivery.partitions(deliveries)})
                applied = batch.apply(tx, deliveries, self._handler, self._messages)
            outcomes = [self._messages.outcome(*one) for one in applied.outcomes if self.worth_telling(one[0])]
        self._published = []
        self.on_commit()
        self._publisher.publish([*applied.messages, *outcomes])
        self._published = applied.rows
        self._membership.done(delivery.ends(deliveries))
        _report(applied)

    def _wait(self, seconds: float, stop: Event) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not stop.wait(min(left, 0.2)):
            self._stay()

    def _stay(self) -> None:
        self._turned_at = time.monotonic()
        self._membership.keep()


def _report(applied: Applied) -> None:
    for handled, outcome in applied.outcomes:
        metrics.EVENTS.labels(outcome).inc()
        log.info(f"webhook.{outcome}", id=handled.event_id, topic=handled.topic)
    for message in applied.messages:
        metrics.FACTS.labels(message.topic).inc()
