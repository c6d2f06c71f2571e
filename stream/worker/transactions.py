"""The transactions of a worker: one per batch, one for the tasks between batches, and one before it stops."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Engine, exc

from runtime import faults
from runtime.config.worker_settings import WorkerSettings
from runtime.logging import log
from stream.events import Record
from stream.kafka import delivery
from stream.kafka.delivery import Delivery
from stream.kafka.group.consumer import GroupConsumer
from stream.kafka.position import Partition
from stream.store import error_classification, outbox, ownership
from stream.store.outbox import OutboxMessage
from stream.store.ownership import Fenced, Restored
from stream.worker import batch, bisection
from stream.worker.batch import Applied
from stream.worker.bisection import BatchFailed, Runner
from stream.worker.handler import Handler
from stream.worker.housekeeping import Housekeeping
from stream.worker.publishing.messages import Messages


class Transactions:
    """The transactions of one worker on its `store`.

    Each is rolled back, with Fenced or Restored, if `consumer` no longer owns the partitions concerned. Each also
    deletes the outbox rows that `note_published` has named since the one before it.
    """

    def __init__(
        self,
        store: Engine,
        consumer: GroupConsumer,
        messages: Messages,
        housekeeping: Housekeeping,
        settings: WorkerSettings,
        *,
        publishes_outcomes: bool,
    ) -> None:
        self._store = store
        self._consumer = consumer
        self._messages = messages
        self._housekeeping = housekeeping
        self._first_wait_s = settings.retry_first_s
        self._publishes_outcomes = publishes_outcomes
        self._published: list[int] = []  # ids of outbox rows that Kafka has acknowledged and that are not deleted yet

    def note_published(self, outbox_ids: Iterable[int]) -> None:
        """Note that Kafka has acknowledged the messages of these outbox rows; the next transaction deletes the rows."""
        self._published += outbox_ids

    def forget_published(self) -> None:
        """Forget the ids given to `note_published`, as the store may be another one; its rows are published again."""
        self._published = []

    def apply(self, deliveries: Sequence[Delivery], handler: Handler[Record]) -> tuple[Applied, list[OutboxMessage]]:
        """Apply a batch and commit it; return its result, and its outcomes as messages that are in no outbox.

        The caller publishes both. If an event fails, the transaction is rolled back, and a second one handles the batch
        in parts, so that only the failing events are retried later. Raises the store's own exception when the store
        fails.
        """
        ends = delivery.ends(deliveries)
        try:
            applied, outcomes = self._commit(deliveries, ends, handler, bisection.together)
        except BatchFailed as failed:
            log.warning("batch.failed", error=error_classification.name(failed.failure), count=len(deliveries))
            applied, outcomes = self._commit(deliveries, ends, handler, bisection.in_parts)
        self._published = []
        self._consumer.advance(ends)
        return applied, outcomes

    @faults.on_return("worker.after_commit")
    def _commit(
        self, deliveries: Sequence[Delivery], ends: Mapping[Partition, int], handler: Handler[Record], run: Runner
    ) -> tuple[Applied, list[OutboxMessage]]:
        """Apply the batch in one transaction, with `run` as in `bisection`.

        Outcomes are encoded before the commit, because an encoding error after it would lose them.
        """
        with self._store.begin() as tx:
            ownership.advance(tx, self._consumer.owned, ends, self._published)
            applied = batch.apply(tx, deliveries, handler, self._messages, run, self._first_wait_s)
            return applied, self._outcomes(applied)

    def do_housekeeping(self) -> Applied | None:
        """Run the housekeeping and commit it; return the result, which the caller publishes, if there is any."""
        with self._store.begin() as tx:
            ownership.check(tx, self._consumer.owned)
            outbox.delete(tx, self._published)
            done = self._housekeeping.work(tx, self._consumer.owned, self._outcomes)
        self._published = []
        return done

    def delete_published(self) -> None:
        """Delete the outbox rows that `note_published` has named, before the worker stops.

        A failure is only logged: the next owner publishes the rows again, which is harmless.
        """
        try:
            with self._store.begin() as tx:
                ownership.check(tx, self._consumer.owned)
                outbox.delete(tx, self._published)
        except exc.SQLAlchemyError as failure:
            log.warning("store.failed", error=error_classification.name(failure))
        except (Fenced, Restored) as changed:
            log.info("worker.fenced", error=str(changed))
        else:
            self._published = []

    def _outcomes(self, applied: Applied) -> list[OutboxMessage]:
        """Return the outcomes of a batch as messages; none for a service that publishes no outcomes."""
        return [
            self._messages.outcome(outcome.delivery, outcome.kind, outcome.attempt, outcome.error)
            for outcome in (applied.outcomes if self._publishes_outcomes else ())
        ]
