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
from stream import (
    batch,
    delivery,
    failures,
    inbox,
    isolation,
    metrics,
    outbox,
    ownership,
    parked,
    retrying,
    topic_admin,
)
from stream.batch import Applied
from stream.codec import Codec
from stream.delivery import Delivery
from stream.isolation import BatchFailed, Handler, Runner
from stream.membership import Membership
from stream.messages import Messages
from stream.ownership import Fenced
from stream.parked import Parked
from stream.publisher import Publisher
from stream.topics import Topic

BACKOFF_S = (0.1, 5.0)
STUCK_S = 60.0
TEND_S = 0.5
MOST_RETRIED = 100


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
        self._stopped = False
        self._tended_at = 0.0
        self._probe = 1  # how many failing events are tried at once while consumption is stopped
        self._turned_at = time.monotonic()
        self.on_commit: Callable[[], None] = lambda: None
        self.worth_telling: Callable[[Delivery], bool] = lambda _: True

    def watch(self, health: Health) -> None:
        """Let `health` know how this worker is."""
        health.ready_while(lambda: None if self._membership.joined else "has not joined its consumer group yet")
        health.ready_while(lambda: self._failure)
        health.ready_while(lambda: "too many events fail at once; none is taken" if self._stopped else None)
        health.live_while(lambda: "the loop is stuck" if time.monotonic() - self._turned_at > STUCK_S else None)

    def run(self, stop: Event) -> None:
        """Work until `stop` is set; the batch in hand is finished and its offsets are committed."""
        topic_admin.check(self._settings.kafka_bootstrap_servers, self._topics)
        self._membership.join()
        try:
            while not stop.is_set():
                self._turned_at = time.monotonic()
                self._persevere(self._consume(stop), stop)
        finally:
            self._membership.leave()

    def _consume(self, stop: Event) -> list[Message]:
        """What has come; nothing while consumption is stopped."""
        if not self._stopped:
            return self._membership.consume(self._settings.batch_size)
        self._wait(TEND_S, stop)
        return []

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
            except (exc.SQLAlchemyError, OSError) as failure:  # events' own failures were isolated before
                metrics.STORE_FAILURES.inc()
                self._failure = f"the store fails: {failures.name(failure)}"
                log.warning("store.failed", error=failures.name(failure), seconds=wait)
                self._membership.reclaim()
                self._wait(wait, stop)
                wait = min(wait * 2, longest)
            else:
                self._failure = None
                return None if self._stopped else self._membership.resume()

    def _turn(self, messages: list[Message]) -> None:
        if self._membership.arrived:
            self._take_over()
        ours = [message for message in messages if self._membership.owns(message)]
        if ours or self._published:
            with metrics.BATCH_SECONDS.time():
                self._apply([delivery.read(self._codec, message) for message in ours])
        if time.monotonic() - self._tended_at > TEND_S:
            self._tend()

    def _tend(self) -> None:
        """Try parked events again, report those that waited too long, and stop while too many fail at once."""
        self._tended_at = time.monotonic()
        owned = self._membership.epochs
        with self._store.begin() as tx:
            self._judge_health(parked.failing(tx))
            ruling = retrying.excuse if self._stopped else retrying.count
            due = parked.due(tx, owned, self._probe if self._stopped else MOST_RETRIED)
            late = inbox.overdue(tx, owned, self._settings.wait_limit_s)
            if not (due or late):
                return
            ownership.hold(tx, {where: owned[where] for where in {(one[1], one[2]) for one in late} | _places(due)})
            wait_s = self._settings.retry_first_s
            applied = retrying.retry(tx, due, self._codec, self._handler, self._messages, ruling, wait_s)
            # In the outbox too: a batch is delivered again and told of again, a retry is not.
            outcomes = [*self._outcomes(applied), *self._messages.overdue(late)]
            rows = outbox.insert(tx, outcomes)
        self.on_commit()
        self._publisher.publish([*applied.messages, *outcomes])
        self._published += applied.rows + rows
        _report(applied)
        self._probe = MOST_RETRIED if due and not any(one.error for one in applied.outcomes) else 1
        self._tended_at = 0.0 if len(due) == MOST_RETRIED else self._tended_at

    def _judge_health(self, failing: int) -> None:
        """Stop taking new events when so many fail that it must be ours, not theirs; go on once they pass."""
        metrics.FAILING.set(failing)
        stops = failing >= self._settings.max_failing
        if stops and not self._stopped:
            log.error("consumption.stopped", count=failing)
        if self._stopped and not stops:
            log.info("consumption.resumed", count=failing)
            self._membership.resume()
        self._stopped = stops

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
        try:
            applied, outcomes = self._commit(deliveries, isolation.together)
        except BatchFailed as failed:
            log.warning("batch.failed", error=failures.name(failed.failure), count=len(deliveries))
            applied, outcomes = self._commit(deliveries, isolation.in_parts)
        self._published = []
        self.on_commit()
        self._publisher.publish([*applied.messages, *outcomes])
        self._published = applied.rows
        self._membership.done(delivery.ends(deliveries))
        _report(applied)

    def _commit(self, deliveries: list[Delivery], run: Runner) -> tuple[Applied, list[outbox.Message]]:
        """The batch's one transaction; outcomes are encoded before the commit, for nothing may fail after it."""
        applied = Applied()
        with self._store.begin() as tx:
            outbox.delete(tx, self._published)
            if deliveries:
                ownership.hold(tx, {one: self._membership.epochs[one] for one in delivery.partitions(deliveries)})
                wait_s = self._settings.retry_first_s
                applied = batch.apply(tx, deliveries, self._handler, self._messages, run, wait_s)
            return applied, self._outcomes(applied)

    def _outcomes(self, applied: Applied) -> list[outbox.Message]:
        return [
            self._messages.outcome(one.delivery, one.outcome, one.attempt, one.error)
            for one in applied.outcomes
            if self.worth_telling(one.delivery)
        ]

    def _wait(self, seconds: float, stop: Event) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not stop.wait(min(left, 0.2)):
            self._stay()

    def _stay(self) -> None:
        self._turned_at = time.monotonic()
        self._membership.keep()


def _places(due: Sequence[Parked]) -> set[ownership.Partition]:
    return {(event.topic, event.partition) for event in due}


def _report(applied: Applied) -> None:
    for judged in applied.outcomes:
        metrics.EVENTS.labels(judged.outcome).inc()
        tell = log.error if judged.outcome == "abandoned" else log.info
        name = "retried" if judged.attempt > 1 and judged.outcome == "processed" else judged.outcome
        tell(f"webhook.{name}", id=judged.delivery.event_id, topic=judged.delivery.topic, attempt=judged.attempt)
    for message in applied.messages:
        metrics.FACTS.labels(message.topic).inc()
