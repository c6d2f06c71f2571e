"""The loop of every service behind Kafka: one thread, one consumer, one transaction per batch.

Consume → decode → transaction (ownership, inbox, state, outbox) → publish the outbox; once a second, publish the
outcomes and commit the offsets of their batches. The rows of the outbox are deleted by the next transaction, so after a
crash messages may be published twice. Consumers recognize a repeated message by its id, in their own inboxes; an
outcome that is made again has another time, and the console shows both. What a crash at each step leads to, and the
tests that try it: docs/one-webhook.md.
"""

import time
from collections.abc import Callable
from threading import Event

from confluent_kafka import KafkaException, Message
from sqlalchemy import Engine, exc

from runtime import faults, gc_tuning
from runtime.config.worker_settings import WorkerSettings
from runtime.health import Health
from runtime.logging import log
from runtime.postgres.store_probe import store_answers
from runtime.startup import Startup
from runtime.timing.backoff import Backoff
from stream.avro import startup
from stream.avro.codec import Codec
from stream.avro.registry_client import RegistryError
from stream.events import DeadRecord, Outcome, Record
from stream.events.topics import ServiceTopics
from stream.kafka import admin, delivery, topic_drift
from stream.kafka.cluster import Cluster
from stream.kafka.delivery import Delivery
from stream.kafka.group.consumer import GroupConsumer
from stream.kafka.position import Partition
from stream.store.ownership import Fenced, Restored
from stream.store.ownership_signal import OwnershipSignal
from stream.worker.batch import Applied
from stream.worker.consumption import UNKNOWN, Consumption
from stream.worker.handler import Handler
from stream.worker.housekeeping import INTERVAL_S, Housekeeping
from stream.worker.monitoring import metrics, reporting
from stream.worker.monitoring.lag import Lag
from stream.worker.monitoring.worker_health import WorkerHealth
from stream.worker.publishing.messages import Messages
from stream.worker.publishing.publication import Publication
from stream.worker.publishing.publisher import Publisher
from stream.worker.takeover import RestoreHooks, Takeover
from stream.worker.transactions import Transactions

BACKOFF = Backoff(0.1, 5.0)
"""The waits before a failed batch is tried again: 0.1 s, growing to 5 s."""
RETRIED = (KafkaException, exc.SQLAlchemyError, OSError)
"""Failures of the store, Kafka or the schema registry, after which a batch is tried again; others end the process."""
NOT_OF_STORE = (KafkaException, RegistryError)
"""Those of RETRIED that say nothing about the store, so that this worker still owns its partitions."""


class Worker:
    """Applies the events of the topics that `service` reads to `store`, each exactly once in effect."""

    def __init__(
        self,
        service: ServiceTopics,
        handler: Handler[Record],
        settings: WorkerSettings,
        store: Engine,
        codec: Codec,
        *,
        on_commit: Callable[[], None] = lambda: None,
        restore_hooks: RestoreHooks | None = None,
        ownership_signal: OwnershipSignal | None = None,
    ) -> None:
        """`on_commit` is called after each committed batch or retry, before its messages are published.

        `restore_hooks` are for a service with outside effects, such as mails (see `RestoreHooks`); with them, outcomes
        and offsets are published with each batch. `ownership_signal` is the flag that the worker sets and clears for
        the service's other threads.
        """
        self._topics = service.reads
        self._settings = settings
        self._store = store
        self._handler = handler
        self._codec = codec
        self._repeat_handler = restore_hooks.handle_again if restore_hooks else handler
        self._restore_hooks = restore_hooks
        self._on_commit = on_commit
        self._ownership_signal = ownership_signal or OwnershipSignal()
        self._cluster = Cluster.of(settings, service.name)
        self._health = WorkerHealth(service.name, store, _startup(service, self._cluster, codec, store))
        self._publication = Publication(Publisher(self._cluster, self._stay_in_group), self._commit_offsets)
        self._consumer = GroupConsumer(
            service.name, self._cluster, self._topics, settings.fetch_gather_ms, self._publication.before_revoke
        )
        self._lag = Lag(self._consumer, self._topics)
        self._takeover = Takeover(store, self._consumer, restore_hooks, self._stay_in_group)
        self._consumption, messages = Consumption(settings.max_retrying), Messages(service.name, codec)
        self._housekeeping = Housekeeping(settings, handler, self._repeat_handler, codec, messages, self._consumption)
        self._transactions = Transactions(
            store, self._consumer, messages, self._housekeeping, settings, publishes_outcomes=service.publishes_outcomes
        )

    def watch(self, health: Health) -> None:
        """Register the readiness and liveness checks of this worker, and a warning while it is paused."""
        self._health.watch(
            health,
            lambda: None if self._consumer.partitions.joined else "has not joined its consumer group yet",
            lambda: self._health.failure or self._consumer.problem() or self._publication.problem(),
            self._stopped,
        )
        health.warn_while(self._paused)

    def _stopped(self) -> str | None:
        is_stopped = self._consumption.is_stopped
        return "MAX_RETRYING or more events are retrying; consumption is stopped" if is_stopped else None

    def _paused(self) -> str | None:
        pause = self._consumption.pause
        return None if pause in (None, UNKNOWN) else f"paused by {pause.by}: {pause.reason}"

    def run(self, stop: Event) -> None:
        """Apply batches until `stop` is set, then publish the held outcomes and leave the consumer group.

        A batch in progress is finished first, unless it fails. Returns at once if `stop` is set before Kafka and the
        store answer. Raises SystemExit when the start finds what waiting cannot fix, or a Kafka client fails for good.
        """
        gc_tuning.collect_rarely()
        if not self._health.wait_for_start(stop):
            return
        topic_drift.warn(self._cluster, self._topics, self._settings.mode, self._settings.topic_replication)
        self._consumer.join()
        try:
            while not stop.is_set():
                self._health.note_progress()
                self._lag.measure_if_due()
                self._repeat_until_done(self._consume(stop), stop)
            self._publication.publish_outcomes()
            self._transactions.delete_published()
        finally:
            self._publication.drop_outcomes()  # those that are left after a failure, as Kafka may acknowledge nothing
            self._consumer.leave()

    @faults.on_return("worker.after_consume")
    def _consume(self, stop: Event) -> list[Message]:
        """Return the next messages; none while consumption is stopped or paused."""
        if self._consumption.pause is UNKNOWN:
            return []
        if not self._consumption.is_halted:
            return self._consumer.consume(self._settings.batch_size, self._settings.gather_ms / 1000)
        self._wait(INTERVAL_S, stop)
        return []

    def _repeat_until_done(self, messages: list[Message], stop: Event) -> None:
        """Apply the batch; after a failure in RETRIED, stay in the consumer group and try the same batch again.

        Give the batch up when `stop` is set, or when another worker has acquired one of its partitions.
        """
        failures = 0
        self._lag.set_in_hand(messages)
        while not stop.is_set():
            try:
                self._do_round(messages)
            except Fenced as fenced:
                metrics.FENCED.inc(len(fenced.partitions))
                log.warning("worker.fenced", error=str(fenced))
                self._invalidate_ownership()
                self._consumer.rejoin()
                messages.clear()  # Kafka delivers them again, from the position in the store
            except Restored as restored:
                log.warning("store.restored", count=len(restored.partitions))
                self._invalidate_ownership()
            except RETRIED as failure:
                # The store or Kafka fails: failures of single events were isolated by `Transactions.apply`.
                failures += 1
                wait_s = BACKOFF.wait_s(failures)
                self._note_failure(failure, wait_s)
                self._wait(wait_s, stop)
            else:
                self._note_success()
                return

    def _note_success(self) -> None:
        """Show in the lag and the health that the batch is applied, and resume the consumer that a wait has paused."""
        self._lag.note_processed()
        self._health.failure = None
        if not self._consumption.is_halted:
            self._consumer.resume()

    def _note_failure(self, failure: Exception, wait_s: float) -> None:
        """Log the failure and show it in the health; after a failure of the store, acquire all partitions again."""
        self._health.failure = reporting.report_failure(failure, wait_s)
        if not isinstance(failure, NOT_OF_STORE):
            self._invalidate_ownership()
            self._store.dispose()  # a new connection may reach another server, or a restored store

    def _invalidate_ownership(self) -> None:
        """Acquire all partitions again before the next batch, because the store may have been replaced."""
        self._ownership_signal.clear()
        self._transactions.forget_published()
        self._consumer.partitions.disown()

    def _do_round(self, messages: list[Message]) -> None:
        """Acquire new partitions, apply the messages of owned partitions, and do what is due between batches."""
        if self._consumer.owned and not self._ownership_signal.is_set:
            self._invalidate_ownership()  # another thread found that the store fails
        if self._consumer.partitions.unacquired:
            self._acquire(messages)
        if owned := [message for message in messages if self._consumer.partitions.owns(message)]:
            self._consumer.commit_beginnings(owned, self._stay_in_group)
            with metrics.BATCH_SECONDS.time():
                self._apply_repeated_and_new(self._decode(owned))
        self._publication.publish_due_outcomes()
        if self._housekeeping.is_due:
            self._do_housekeeping()

    def _acquire(self, in_hand: list[Message]) -> None:
        """Take over the assigned partitions; publish first what their previous owner has not published."""
        acquired = self._takeover.acquire(in_hand)
        self._publication.publish([message for _, message in acquired.unpublished])
        self._transactions.note_published(outbox_id for outbox_id, _ in acquired.unpublished)
        self._takeover.own(acquired)
        self._lag.note_positions()
        with self._store.begin() as tx:
            self._ownership_signal.set(tx)

    @faults.on_return("worker.after_decode")
    def _decode(self, messages: list[Message]) -> list[Delivery]:
        return [delivery.read(self._codec, message) for message in messages]

    def _apply_repeated_and_new(self, deliveries: list[Delivery]) -> None:
        """Apply a batch; events handled before a restore of the store come first, in their own transaction."""
        if self._repeat_handler is self._handler:
            self._apply_and_publish(self._handler, deliveries)
            return
        rewound_until = self._consumer.partitions.rewound_until
        repeated: list[Delivery] = []
        new: list[Delivery] = []
        for each in deliveries:
            (repeated if each.offset < rewound_until((each.topic, each.partition)) else new).append(each)
        if repeated:
            self._apply_and_publish(self._repeat_handler, repeated)
        if new:
            self._apply_and_publish(self._handler, new)

    def _apply_and_publish(self, handler: Handler[Record], deliveries: list[Delivery]) -> None:
        applied, outcomes = self._transactions.apply(deliveries, handler)
        self._publish(applied)
        self._publication.add_outcomes(outcomes, delivery.ends(deliveries))
        if self._restore_hooks:
            self._publication.publish_outcomes()
        reporting.report(applied)

    def _do_housekeeping(self) -> None:
        """Retry failed events, publish the messages that follow, and resume consumption if it was stopped."""
        was_halted = self._consumption.is_halted
        applied = self._transactions.do_housekeeping()
        if was_halted and not self._consumption.is_halted:
            self._consumer.resume()
        if applied is not None:
            self._publish_retried(applied)

    @faults.on_call("worker.after_retry")
    def _publish_retried(self, applied: Applied) -> None:
        self._publish(applied)
        reporting.report(applied)

    def _publish(self, applied: Applied) -> None:
        """Publish the messages of a committed batch, and note that their outbox rows can be deleted."""
        self._on_commit()
        self._publication.publish(applied.messages)
        self._transactions.note_published(applied.outbox_ids)

    def _wait(self, seconds: float, stop: Event) -> None:
        until = time.monotonic() + seconds
        while (remaining := until - time.monotonic()) > 0 and not stop.wait(min(remaining, 0.2)):
            self._stay_in_group()

    def _commit_offsets(self, ends: dict[Partition, int]) -> None:
        self._consumer.commit_offsets(ends, at_once=self._restore_hooks is not None)

    def _stay_in_group(self) -> None:
        """Pause and poll the consumer, so that Kafka keeps this member in the group while a batch waits."""
        self._health.note_progress()
        if self._publication.is_revoking:  # the consumer's poll has called us
            return
        self._consumer.pause()
        self._lag.measure_if_due()


def _startup(service: ServiceTopics, cluster: Cluster, codec: Codec, store: Engine) -> Startup:
    return Startup(
        [
            lambda: admin.check(cluster, service.reads),
            startup.registry_answers(codec, (Outcome, DeadRecord)),
            store_answers(service.name, store),
        ]
    )
