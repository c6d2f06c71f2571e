"""The loop of every service behind Kafka: one thread, one consumer, one transaction a batch.

Consume → decode → transaction (ownership, inbox, state, outbox) → publish the outbox → tell outcomes → store offsets.
A crash between any two steps delivers the batch again, and the inbox knows it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from threading import Event
from typing import Any

from confluent_kafka import KafkaException, Message
from sqlalchemy import Connection, Engine, exc

from runtime import faults, gc_tuning
from runtime.config.settings import StoreSettings
from runtime.health import Health
from runtime.logging import log
from runtime.postgres.store_probe import StoreProbe, store_answers
from runtime.startup import Startup
from stream.avro import registry_client, startup
from stream.avro.codec import Codec
from stream.events import DeadRecord, Outcome
from stream.events.topics import Topic
from stream.kafka import admin, delivery, topic_drift
from stream.kafka.client_config import Cluster
from stream.kafka.consumer import NO_PROPERTIES, GroupConsumer
from stream.kafka.delivery import Delivery
from stream.kafka.position import Owned, Partition
from stream.store import error_classification, outbox, ownership
from stream.store.ownership import Fenced, Restored
from stream.store.ownership_signal import OwnershipSignal
from stream.worker import batch, bisection, metrics, reporting
from stream.worker.batch import Applied
from stream.worker.bisection import BatchFailed, Handler, Runner
from stream.worker.housekeeping import TEND_S, Housekeeping
from stream.worker.lag import Lag
from stream.worker.messages import Messages
from stream.worker.publisher import Publisher

BACKOFF_S = (0.1, 5.0)
STUCK_S = 60.0
SETTLES_S = 10.0


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
        consumer: Mapping[str, Any] = NO_PROPERTIES,
    ) -> None:
        """`consumer` are properties of librdkafka for this service's consumer, such as how long a fetch waits."""
        self._topics = topics
        self._settings = settings
        self._store = store
        self._handler = handler
        self._codec = codec
        self._messages = Messages(service, codec)
        self._tending = Housekeeping(settings, handler, codec, self._messages)
        self._cluster = Cluster.of(settings, service)
        self._membership = GroupConsumer(service, self._cluster, topics, consumer)
        self._lag = Lag(self._membership, topics)
        self._publisher = Publisher(self._cluster, while_waiting=self._stay)
        self._published: list[int] = []
        self._failure: str | None = None
        self._turned_at = time.monotonic()
        self._probe = StoreProbe(service, store)
        self._startup = Startup(
            [
                lambda: admin.check(self._cluster, topics),
                startup.registry_answers(codec, (Outcome, DeadRecord)),
                store_answers(service, store),
            ]
        )
        self.on_commit: Callable[[], None] = lambda: None
        self.worth_telling: Callable[[Delivery], bool] = lambda _: True
        self._on_rewind: Callable[[Connection], None] = lambda _: None
        self._again = handler
        self._commits_at_once = False
        self.trust = OwnershipSignal()

    def when_rewound(self, handle_again: Handler, on_rewind: Callable[[Connection], None]) -> None:
        """Of a service that acts on the world: what to do once a store is found to be restored.

        `on_rewind` puts to rest what waits in it, `handle_again` applies events that had been handled before. That
        each is known to have been needs Kafka to know at once how far the group is.
        """
        self._again = self._tending.again = handle_again
        self._on_rewind = on_rewind
        self._commits_at_once = True

    def watch(self, health: Health) -> None:
        """Let `health` know how this worker is."""
        health.ready_while(self._startup.problem)
        health.ready_while(self._probe.problem)
        health.ready_while(lambda: None if self._membership.joined else "has not joined its consumer group yet")
        health.ready_while(lambda: self._failure or self._membership.problem() or self._publisher.problem())
        health.ready_while(lambda: "too many events fail at once; none is taken" if self._tending.stops else None)
        health.live_while(self._stuck)

    def run(self, stop: Event) -> None:
        """Work until `stop` is set; the batch in hand is finished and its offsets are committed."""
        gc_tuning.look_seldom()
        if not self._startup.wait(stop, self._turned):
            return
        topic_drift.warn(self._cluster, self._topics, self._settings.mode, self._settings.topic_replication)
        self._probe.start()
        self._membership.join()
        try:
            while not stop.is_set():
                self._turned()
                self._lag.look_when_due()
                self._persevere(self._consume(stop), stop)
            self._part()
        finally:
            self._membership.leave()

    def _turned(self) -> None:
        self._turned_at = time.monotonic()

    def _stuck(self) -> str | None:
        """What a restart may mend. That the store hangs is no such thing, and holds the loop up as well."""
        stuck = time.monotonic() - self._turned_at > STUCK_S and not self._probe.problem()
        return "the loop is stuck" if stuck else None

    @faults.after("worker.after_consume")
    def _consume(self, stop: Event) -> list[Message]:
        """What has come; nothing while consumption is stopped."""
        if not self._tending.stops:
            return self._membership.consume(self._settings.batch_size, self._settings.gather_ms / 1000)
        self._wait(TEND_S, stop)
        return []

    def _persevere(self, messages: list[Message], stop: Event) -> None:
        """Apply the batch; when the store fails, keep our place in the group and try the same batch again."""
        wait, longest = BACKOFF_S
        self._lag.hold(messages)
        while not stop.is_set():
            try:
                self._turn(messages)
            except Fenced as fenced:
                metrics.FENCED.inc(len(fenced.partitions))
                log.warning("worker.fenced", error=str(fenced))
                self._distrust()
                self._membership.rejoin()
                messages.clear()  # they come again, from wherever the store is by then
            except Restored as restored:
                log.warning("store.restored", count=len(restored.partitions))
                self._distrust()
            except (KafkaException, exc.SQLAlchemyError, OSError) as failure:  # events' own were isolated before
                self._note(failure, wait)
                self._wait(wait, stop)
                wait = min(wait * 2, longest)
            else:
                self._lag.hold(())
                self._failure = None
                return None if self._tending.stops else self._membership.resume()

    def _note(self, failure: Exception, wait: float) -> None:
        """Say what the batch waits for, and let the next try begin by taking everything over."""
        if isinstance(failure, KafkaException):  # it does not say where the group was, or cannot go back there yet
            self._failure = f"Kafka does not say where to begin: {failure.args[0].str()}"
            log.info("offsets.unsettled", error=failure.args[0].str(), seconds=wait)
            return
        if isinstance(failure, registry_client.RegistryError):
            self._failure = str(failure)
            log.warning("registry.failed", error=str(failure), seconds=wait)
            return
        metrics.STORE_FAILURES.inc()
        self._failure = f"the store fails: {error_classification.name(failure)}"
        log.warning("store.failed", error=error_classification.name(failure), seconds=wait)
        self._distrust()
        self._store.dispose()  # a connection made anew may find a better server, or another state of this one

    def _distrust(self) -> None:
        """Take everything over anew before anything else is done: the store may not be what it was."""
        self.trust.withdraw()
        self._published = []  # by row ids of another state; what is left of them is published again
        self._membership.reclaim()

    def _turn(self, messages: list[Message]) -> None:
        if self._membership.owned and not self.trust.is_given:
            self._distrust()  # another thread has found the store failing
        if self._membership.arrived:
            self._take_over(messages)
        if ours := [message for message in messages if self._membership.owns(message)]:
            with metrics.BATCH_SECONDS.time():
                self._apply(self._decode(ours))
        if self._tending.is_due:
            self._tend()

    def _tend(self) -> None:
        """See to what failed before, and to what waits."""
        was_stopped = self._tending.stops
        tended = self._try_again()
        if was_stopped and not self._tending.stops:
            self._membership.resume()
        self._published = []
        for applied in tended:
            self.on_commit()
            self._publisher.publish(applied.messages)
            self._published += applied.rows
            reporting.report(applied)

    @faults.after("worker.after_retry")
    def _try_again(self) -> list[Applied]:
        """The transaction of that; what it leaves to be told, if there was anything to do."""
        with self._store.begin() as tx:
            ownership.check(tx, self._membership.owned)
            outbox.delete(tx, self._published)
            return self._tending.work(tx, self._membership.owned, self._outcomes)

    def _take_over(self, in_hand: list[Message]) -> None:
        """Own the partitions that were assigned, go on where the store is, publish what a former owner may not have."""
        arrived = sorted(self._membership.arrived)
        committed = self._membership.committed()
        reached = self._membership.reached(committed)
        with self._store.begin() as tx:
            taken = ownership.acquire(tx, arrived, reached)
            if behind := ownership.rewound(taken, reached):
                now = ownership.rewind(tx, reached)
                self._on_rewind(tx)
                _report_rewound(taken, behind)
                taken = {partition: now[partition] for partition in taken}
            left = outbox.unpublished(tx, arrived)
        self._start_at(taken, committed, in_hand)
        self._publisher.publish([message for _, message in left])
        self._published += [row for row, _ in left]
        self._membership.own(taken)
        # A group that Kafka has forgotten gets its offsets back, for those who watch it and for its next member.
        self._membership.done(
            {one: owned.next_offset for one, owned in taken.items() if owned.next_offset and one not in committed}
        )
        self._lag.note_positions()
        with self._store.begin() as tx:
            self.trust.give(tx)

    def _start_at(
        self, taken: Mapping[Partition, Owned], committed: Mapping[Partition, int], in_hand: list[Message]
    ) -> None:
        """Go where the store is; librdkafka may first have to learn from Kafka where the group was."""
        until = time.monotonic() + SETTLES_S
        while True:
            try:
                return self._membership.start_at(taken, committed, in_hand)
            except KafkaException:
                if time.monotonic() > until:
                    raise
                time.sleep(BACKOFF_S[0])
                self._stay()

    @faults.after("worker.after_decode")
    def _decode(self, messages: list[Message]) -> list[Delivery]:
        return [delivery.read(self._codec, message) for message in messages]

    def _apply(self, deliveries: list[Delivery]) -> None:
        """Apply a batch. Events that a restored store had handled before come first, in a transaction of their own."""
        repeated = [one for one in deliveries if self._membership.is_repeated(one.topic, one.partition, one.offset)]
        if self._again is self._handler or not repeated:
            return self._apply_with(self._handler, deliveries)
        self._apply_with(self._again, repeated)
        known = set(map(id, repeated))
        if new := [one for one in deliveries if id(one) not in known]:
            self._apply_with(self._handler, new)

    def _apply_with(self, handler: Handler, deliveries: list[Delivery]) -> None:
        ends = delivery.ends(deliveries)
        try:
            applied, outcomes = self._commit(deliveries, ends, handler, bisection.together)
        except BatchFailed as failed:
            log.warning("batch.failed", error=error_classification.name(failed.failure), count=len(deliveries))
            applied, outcomes = self._commit(deliveries, ends, handler, bisection.in_parts)
        self._published = []
        self._membership.advance(ends)
        self.on_commit()
        self._publisher.publish([*applied.messages, *outcomes])
        self._published = applied.rows
        self._membership.done(ends, at_once=self._commits_at_once)
        reporting.report(applied)

    @faults.after("worker.after_commit")
    def _commit(
        self, deliveries: list[Delivery], ends: dict[Partition, int], handler: Handler, run: Runner
    ) -> tuple[Applied, list[outbox.Message]]:
        """The batch's one transaction; outcomes are encoded before the commit, for nothing may fail after it."""
        with self._store.begin() as tx:
            ownership.advance(tx, self._membership.owned, ends, self._published)
            wait_s = self._settings.retry_first_s
            applied = batch.apply(tx, deliveries, handler, self._messages, run, wait_s)
            return applied, self._outcomes(applied)

    def _part(self) -> None:
        """Leave no message to our successor that was published; one more who publishes it does no harm either."""
        try:
            self._tidy()
        except exc.SQLAlchemyError as failure:
            log.warning("store.failed", error=error_classification.name(failure))
        except (Fenced, Restored) as changed:
            log.info("worker.fenced", error=str(changed))

    def _tidy(self) -> None:
        with self._store.begin() as tx:
            ownership.check(tx, self._membership.owned)
            outbox.delete(tx, self._published)
        self._published = []

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
        self._turned()
        self._membership.pause()
        self._lag.look_when_due()


def _report_rewound(taken: Mapping[Partition, Owned], reached: Mapping[Partition, int]) -> None:
    """Tell people that the store was put back, and how much of each topic is read again."""
    for topic in sorted({topic for topic, _ in reached}):
        behind = [end - taken[one].next_offset for one, end in reached.items() if one[0] == topic]
        metrics.REWOUND.labels(topic).inc(sum(behind))
        log.warning("store.rewound", topic=topic, count=sum(behind))
