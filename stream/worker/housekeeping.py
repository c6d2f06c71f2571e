"""The worker's tasks between batches: events that failed, waited too long or were dismissed, and whether to stop."""

import time
from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from runtime.config.settings import StoreSettings
from runtime.logging import log
from stream.avro.codec import Codec
from stream.kafka.position import Owned, Partition
from stream.store import inbox, outbox, ownership, retrying
from stream.store.inbox import EventPosition
from stream.store.outbox import Message
from stream.store.retrying import Retrying
from stream.worker import metrics, retries
from stream.worker.batch import Applied
from stream.worker.bisection import Handler
from stream.worker.messages import Messages

TEND_S = 0.5
# One statement, since mostly there is nothing. It asks of all partitions; what is done is of those that are owned.
PENDING = f"""
SELECT ({retrying.FAILING}),
       EXISTS (SELECT FROM parked WHERE status = 'retrying' AND next_attempt_at <= now()),
       EXISTS (SELECT FROM parked WHERE status = 'dismissed' AND NOT dismissal_published),
       EXISTS (SELECT FROM inbox WHERE outcome = 'waiting'
                AND handled_at < now() - make_interval(secs => %(seconds)b::float8))
"""  # noqa: S608
MOST_RETRIED = 100
COUNT_S = 5.0


class Housekeeping:
    """`stops`: so many events fail at once that it must be ours, not theirs; then none is given up, none is taken."""

    def __init__(self, settings: StoreSettings, handler: Handler, codec: Codec, messages: Messages) -> None:
        self._settings = settings
        self._handler = handler
        self._codec = codec
        self._messages = messages
        self._tended_at = 0.0
        self._counted_at = 0.0
        self.again = handler
        self._probe = 1  # how many failing events are tried at once while consumption is stopped
        self.stops = False

    @property
    def is_due(self) -> bool:
        """Whether it is time to look again."""
        return time.monotonic() - self._tended_at > TEND_S

    def work(
        self, tx: Connection, owned: Mapping[Partition, Owned], outcomes: Callable[[Applied], list[Message]]
    ) -> list[Applied]:
        """Try parked events of our partitions again; publish which waited too long and which were dismissed."""
        self._tended_at = time.monotonic()
        failing, *pending = tx.exec_driver_sql(PENDING, {"seconds": self._settings.wait_limit_s}).one()
        self._judge_health(failing)
        self._count(tx)
        if not any(pending):
            return []
        due = retrying.due(tx, owned, self._probe if self.stops else MOST_RETRIED)
        late = inbox.abandon_overdue(tx, owned, self._settings.wait_limit_s)
        dismissed = retrying.dismissed(tx, owned)
        if not (due or late or dismissed):
            return []
        ownership.assert_held(
            tx, {where: owned[where] for where in _places(due, [*late, *(one.stood for one in dismissed)])}
        )
        repeated = [one for one in due if one.offset < owned[one.topic, one.partition].rewound_until]
        new = [one for one in due if one not in repeated]
        applied = together(self._retry(tx, repeated, self.again), self._retry(tx, new, self._handler))
        # In the outbox too: a batch is delivered again and told of again, a retry is not.
        told = [*outcomes(applied), *self._messages.overdue(late), *self._messages.dismissed(dismissed)]
        rows = outbox.insert(tx, told)
        self._learn(applied)
        return [Applied(applied.rows + rows, applied.messages + told, applied.outcomes)]

    def _retry(self, tx: Connection, due: list[Retrying], handler: Handler) -> Applied:
        ruling = retries.excuse if self.stops else retries.count
        wait_s = self._settings.retry_first_s
        return retries.retry(tx, due, self._codec, handler, self._messages, ruling, wait_s) if due else Applied()

    def _learn(self, applied: Applied) -> None:
        """Go faster while what failed before passes now."""
        tried = len(applied.outcomes)
        self._probe = MOST_RETRIED if tried and not any(one.error for one in applied.outcomes) else 1
        if tried == MOST_RETRIED:
            self._tended_at = 0.0

    def _judge_health(self, failing: int) -> None:
        metrics.FAILING.set(failing)
        stops = failing >= self._settings.max_failing
        if stops != self.stops:
            tell, name = (log.error, "consumption.stopped") if stops else (log.info, "consumption.resumed")
            tell(name, count=failing)
        self.stops = stops

    def _count(self, tx: Connection) -> None:
        """Say what waits for a person or for another event, of the whole store: every replica says the same."""
        if time.monotonic() - self._counted_at > COUNT_S:
            self._counted_at = time.monotonic()
            metrics.DEAD.set(retrying.counts(tx)["abandoned"])
            metrics.WAITING.set(inbox.count_waiting(tx))


def together(one: Applied, other: Applied) -> Applied:
    """Join the messages and outcomes of two parts of one transaction."""
    return Applied(one.rows + other.rows, one.messages + other.messages, one.outcomes + other.outcomes)


def _places(due: list[Retrying], late: list[EventPosition]) -> set[Partition]:
    return {(event.topic, event.partition) for event in due} | {(topic, number) for _, topic, number, _ in late}
