"""Questions at rest: all SQL of the confirmer.

A claim is a lease: it moves the next attempt ahead in its own transaction, so that a question whose asker died is due
again when the lease has passed, and no transaction is open while a provider thinks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from confirmer.judge import Again, Confirmed, Rejected, Unknown, Verdict
from runtime import clock, faults
from stream.arrays import write
from stream.events import UnconfirmedWebhook

KEEP = """
INSERT INTO questions (receipt_id, provider, subject, reference, received_at, record)
SELECT * FROM unnest(%(ids)b::text[]::uuid[], %(providers)b::text[], %(subjects)b::text[], %(references)b::text[],
                     %(times)b::timestamptz[], %(records)b::bytea[])
ON CONFLICT DO NOTHING
"""
KEEP_COLUMNS = "ids providers subjects references times records"

# Those that have been due longest, and beside each whatever else is due about the same thing: one request answers all.
# What was never or seldom asked goes first: whoever posts forgeries must not make what is true wait behind them all.
CLAIM = """
WITH due AS (
    SELECT receipt_id, subject, reference FROM questions
     WHERE provider = %(provider)s AND status = 'asking' AND next_attempt_at <= now()
     ORDER BY least(attempts, 3), next_attempt_at LIMIT %(most)s FOR UPDATE SKIP LOCKED),
beside AS (
    SELECT receipt_id FROM questions JOIN (SELECT DISTINCT subject, reference FROM due) AS asked
     USING (subject, reference)
     WHERE provider = %(provider)s AND status = 'asking' AND next_attempt_at <= now()
     LIMIT %(beside)s FOR UPDATE OF questions SKIP LOCKED),
leased AS (
    UPDATE questions SET attempts = attempts + 1, asked_at = now(),
                         next_attempt_at = now() + %(lease_s)s * interval '1 second'
     WHERE receipt_id IN (SELECT receipt_id FROM due UNION SELECT receipt_id FROM beside)
    RETURNING receipt_id, attempts, unread, record)
SELECT receipt_id::text, attempts, unread, record, partition, "offset"
  FROM leased JOIN inbox ON inbox.event_id = leased.receipt_id
"""

ENDED = """
UPDATE questions SET status = %(status)s, error = %(error)s, event_id = %(event_id)s::uuid
 WHERE receipt_id = %(id)s::uuid AND status = 'asking'
"""
POSTPONED = """
UPDATE questions SET error = %(error)s, unread = unread + %(unread)s,
                     next_attempt_at = now() + %(seconds)s * interval '1 second'
 WHERE receipt_id = %(id)s::uuid AND status = 'asking'
"""
# A receipt that is delivered again is then told of as what it has become, and not as waiting.
TOLD = "UPDATE inbox SET outcome = %(outcome)s WHERE event_id = %(id)s::uuid"
MOST_BESIDE = 200

REMEMBER_CONFIRMED = """
UPDATE questions SET status = 'confirmed', event_id = told.event_id, error = NULL
  FROM unnest(%(ids)b::text[]::uuid[], %(events)b::text[]::uuid[]) AS told (receipt_id, event_id)
 WHERE questions.receipt_id = told.receipt_id AND status <> 'confirmed'
"""
REMEMBER_ENDED = """
UPDATE questions SET status = CASE WHEN told.error LIKE 'untrue:%%' THEN 'untrue' ELSE 'unknown' END,
                     error = told.error
  FROM unnest(%(ids)b::text[]::uuid[], %(errors)b::text[]) AS told (receipt_id, error)
 WHERE questions.receipt_id = told.receipt_id AND status = 'asking'
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A question that is ours to ask for a while: how often it was asked, its receipt and where that stood."""

    receipt_id: str
    attempts: int
    unread: int
    record: bytes
    partition: int
    offset: int


def keep(tx: Connection, receipts: Iterable[tuple[UnconfirmedWebhook, bytes]]) -> None:
    """Remember what is to be asked, due at once."""
    write(tx, KEEP, KEEP_COLUMNS, [_row(receipt, record) for receipt, record in receipts])


@faults.after("asker.after_claim")
def claim(tx: Connection, provider: str, most: int, lease_s: float) -> list[Claimed]:
    """Take over questions to `provider` that are due: `most` of them, and those beside them."""
    wanted = {"provider": provider, "most": most, "beside": MOST_BESIDE, "lease_s": lease_s}
    return [Claimed(*row) for row in tx.exec_driver_sql(CLAIM, wanted)]


@faults.before("asker.after_publish")
def settle(tx: Connection, verdicts: Sequence[tuple[Claimed, Verdict]]) -> None:
    """Keep what became of these questions; one that somebody else settled meanwhile stays as it is."""
    for claimed, verdict in sorted(verdicts, key=lambda pair: pair[0].receipt_id):
        statement, values = _settled(verdict)
        tx.exec_driver_sql(statement, {"id": claimed.receipt_id, **values})
        if not isinstance(verdict, Again):
            outcome = "processed" if isinstance(verdict, Confirmed) else "abandoned"
            tx.exec_driver_sql(TOLD, {"id": claimed.receipt_id, "outcome": outcome})


def remember_confirmed(tx: Connection, told: Sequence[tuple[str, str]]) -> None:
    """Note which receipts became which events, as the topics tell."""
    write(tx, REMEMBER_CONFIRMED, "ids events", told)


def remember_ended(tx: Connection, told: Sequence[tuple[str, str]]) -> None:
    """Note which receipts came to nothing, and why, as the topics tell."""
    write(tx, REMEMBER_ENDED, "ids errors", [(receipt_id, _text(error)) for receipt_id, error in told])


def _settled(verdict: Verdict) -> tuple[str, dict[str, Any]]:
    match verdict:
        case Confirmed(event):
            event_id = event.webhook.envelope.event_id
            return ENDED, {"status": "confirmed", "error": None, "event_id": event_id}
        case Rejected(_, error):
            return ENDED, {"status": "untrue", "error": _text(error), "event_id": None}
        case Unknown(error):
            return ENDED, {"status": "unknown", "error": _text(error), "event_id": None}
        case Again(error, seconds, unread):
            return POSTPONED, {"error": _text(error), "seconds": seconds, "unread": int(unread)}


def _row(receipt: UnconfirmedWebhook, record: bytes) -> tuple[Any, ...]:
    envelope, question = receipt.envelope, receipt.notice
    names = (_text(question.subject), _text(question.reference))
    return (envelope.event_id, envelope.provider, *names, clock.moment(envelope.received_at), record)


def _text(value: str) -> str:
    """What nobody signed may hold what Postgres does not take."""
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")
