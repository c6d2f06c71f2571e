"""The worker's tasks between batches: it retries events, and reports those that are overdue or were dismissed."""

import time
from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from runtime.config.worker_settings import WorkerSettings
from stream.avro.codec import Codec
from stream.events import Record
from stream.kafka.position import EventPosition, Owned, Partition
from stream.store import outbox, ownership, pausing, retrying, waiting
from stream.store.outbox import OutboxMessage
from stream.store.retrying import FailedEvent
from stream.worker import retries
from stream.worker.batch import Applied
from stream.worker.consumption import Consumption
from stream.worker.handler import Handler
from stream.worker.monitoring import metrics
from stream.worker.publishing.messages import Messages

INTERVAL_S = 1.0
# One statement, because usually there is nothing to do. It looks at all partitions; the work is limited to owned ones.
PENDING = f"""
SELECT ({retrying.RETRYING}), EXISTS (SELECT FROM pause),
       EXISTS (SELECT FROM retries WHERE status = 'retrying' AND next_attempt_at <= now()),
       EXISTS (SELECT FROM retries WHERE status = 'dismissed' AND NOT dismissal_published),
       EXISTS (SELECT FROM inbox WHERE outcome = 'waiting'
                AND handled_at < now() - make_interval(secs => %(seconds)b::float8))
"""  # noqa: S608
MAX_RETRIED_AT_ONCE = 100
COUNT_INTERVAL_S = 5.0


class Housekeeping:
    """Does the tasks between batches in the worker's thread, and keeps `consumption` up to date."""

    def __init__(
        self,
        settings: WorkerSettings,
        handler: Handler[Record],
        repeat_handler: Handler[Record],
        codec: Codec,
        messages: Messages,
        consumption: Consumption,
    ) -> None:
        """`repeat_handler` retries the events that may have been handled before the store was restored."""
        self._settings = settings
        self._handler = handler
        self._codec = codec
        self._messages = messages
        self._consumption = consumption
        self._last_run_at = 0.0
        self._counted_at = 0.0
        self._repeat_handler = repeat_handler
        self._probe_size = 1  # the number of events that are retried at once while consumption is stopped

    @property
    def is_due(self) -> bool:
        """True if the last call of `work` is more than INTERVAL_S ago, or left due events for the next call."""
        return time.monotonic() - self._last_run_at > INTERVAL_S

    def work(
        self, tx: Connection, owned: Mapping[Partition, Owned], outcomes: Callable[[Applied], list[OutboxMessage]]
    ) -> Applied | None:
        """Retry the due events of the owned partitions, and mark events that have waited too long as dead.

        The caller commits `tx`. The messages that follow, with the outcomes of these events and of those dismissed
        since the last call, are written to the outbox and returned, to be published after the commit; None when there
        was nothing to do or the service is paused. `outcomes` encodes the outcomes of the retries. Raises
        Fenced or Restored when the partitions are no longer owned as `owned` says.
        """
        self._last_run_at = time.monotonic()
        retrying_events, is_paused, *pending = tx.exec_driver_sql(
            PENDING, {"seconds": self._settings.wait_limit_s}
        ).one()
        self._consumption.update(retrying_events, pausing.read(tx) if is_paused else None)
        self._count(tx)
        if self._consumption.pause is not None or not any(pending):
            return None
        due = retrying.due(tx, owned, self._probe_size if self._consumption.is_stopped else MAX_RETRIED_AT_ONCE)
        overdue = waiting.mark_overdue(tx, owned, self._settings.wait_limit_s)
        dismissed = retrying.mark_dismissals_published(tx, owned)
        if not (due or overdue or dismissed):
            return None
        touched = _partitions(due, [*overdue, *(event.position for event in dismissed)])
        ownership.assert_held(tx, {partition: owned[partition] for partition in touched})
        repeated = [event for event in due if event.offset < owned[event.topic, event.partition].rewound_until]
        new = [event for event in due if event not in repeated]
        applied = self._retry(tx, repeated, self._repeat_handler).joined(self._retry(tx, new, self._handler))
        # The outbox holds these outcomes too: a batch is delivered again and its outcomes made again, a retry is not.
        messages = [*outcomes(applied), *self._messages.overdue(overdue), *self._messages.dismissed(dismissed)]
        outbox_ids = outbox.insert(tx, messages)
        self._update_probe(applied)
        return applied.joined(Applied(outbox_ids, messages))

    def _retry(self, tx: Connection, due: list[FailedEvent], handler: Handler[Record]) -> Applied:
        policy = retries.keep_attempts if self._consumption.is_stopped else retries.count_attempt
        wait_s = self._settings.retry_first_s
        return retries.retry(tx, due, self._codec, handler, self._messages, policy, wait_s) if due else Applied()

    def _update_probe(self, applied: Applied) -> None:
        """While consumption is stopped, retry MAX_RETRIED_AT_ONCE events next time if all retries passed, else one."""
        retried = len(applied.outcomes)
        passed = retried and not any(outcome.error for outcome in applied.outcomes)
        self._probe_size = MAX_RETRIED_AT_ONCE if passed else 1
        if retried == MAX_RETRIED_AT_ONCE:
            self._last_run_at = 0.0

    def _count(self, tx: Connection) -> None:
        """Count the dead and waiting events of the whole store at most every COUNT_INTERVAL_S.

        Every replica of the service reports the same numbers.
        """
        if time.monotonic() - self._counted_at > COUNT_INTERVAL_S:
            self._counted_at = time.monotonic()
            metrics.DEAD.set(retrying.counts(tx)["dead"])
            metrics.WAITING.set(waiting.count(tx))


def _partitions(due: list[FailedEvent], positions: list[EventPosition]) -> set[Partition]:
    return {(event.topic, event.partition) for event in due} | {event.topic_partition for event in positions}
