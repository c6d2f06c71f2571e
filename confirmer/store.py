"""Questions at rest: all SQL of the confirmer.

A claim is a lease: it moves the next attempt ahead in its own transaction, so that a question whose asker died is due
again when the lease has passed, and no transaction is open while a provider thinks.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from confirmer.verdict import Confirmed, Rejected, RetryLater, Unknown, Verdict
from runtime import clock, faults
from stream.events import UnconfirmedWebhook
from stream.store.bulk_sql import write

KNOW = """
INSERT INTO orders (order_id) SELECT unnest(%(orders)b::text[]) ORDER BY 1 ON CONFLICT DO NOTHING
"""
KNOWN_NOW = """
UPDATE questions SET known = true, turn = least(turn, now())
 WHERE status = 'asking' AND NOT known AND order_id = ANY (%(orders)b::text[])
"""

# Questions take turns: each of one source stands a second behind the one before it, so 600 from one source stand up to
# ten minutes behind the first of another. Those about an order that is known (the shop told of it, or it was confirmed
# before) do not queue behind what one source asks, but behind others about the same order.
KEEP = """
WITH new AS (
    SELECT * FROM unnest(%(ids)b::text[]::uuid[], %(providers)b::text[], %(subjects)b::text[], %(references)b::text[],
                         %(orders)b::text[], %(sources)b::text[], %(times)b::timestamptz[], %(records)b::bytea[])
        WITH ORDINALITY AS posted (receipt_id, provider, subject, reference, order_id, source, received_at, record, nth)
     WHERE NOT EXISTS (SELECT FROM questions WHERE questions.receipt_id = posted.receipt_id)),
judged AS (
    SELECT *, EXISTS (SELECT FROM orders WHERE orders.order_id = new.order_id)
              OR EXISTS (SELECT FROM questions AS before
                          WHERE before.order_id = new.order_id AND before.status = 'confirmed') AS known FROM new),
named AS (
    SELECT *, concat_ws(' ', provider, CASE WHEN known THEN 'order' ELSE 'source' END,
                        CASE WHEN known THEN order_id ELSE source END) AS queue FROM judged),
queued AS (
    SELECT named.*, greatest(now(), turns.turn + interval '1 second')
                    + (row_number() OVER (PARTITION BY queue ORDER BY nth) - 1) * interval '1 second' AS turn
      FROM named LEFT JOIN turns USING (queue)),
taken AS (
    INSERT INTO turns (queue, turn) SELECT queue, max(turn) FROM queued GROUP BY queue ORDER BY queue
    ON CONFLICT (queue) DO UPDATE SET turn = greatest(turns.turn, excluded.turn))
INSERT INTO questions (receipt_id, provider, subject, reference, order_id, source, received_at, record, known, turn)
SELECT receipt_id, provider, subject, reference, order_id, source, received_at, record, known, turn FROM queued
ON CONFLICT DO NOTHING
"""
KEEP_COLUMNS = "ids providers subjects references orders sources times records"

# First those about known orders, then the newest, then whose turn it is, and beside each whatever else is due about the
# same thing: one request answers all. What was never or seldom asked goes before what nobody knew the last time.
DUE = """
SELECT provider FROM unnest(%(providers)b::text[]) AS one (provider)
 WHERE EXISTS (SELECT FROM questions
                WHERE questions.provider = one.provider AND status = 'asking' AND next_attempt_at <= now())
"""

CLAIM = """
WITH about_known AS (
    SELECT receipt_id, subject, reference FROM questions
     WHERE provider = %(provider)s AND status = 'asking' AND known AND next_attempt_at <= now()
     ORDER BY least(attempts, 3), turn LIMIT %(known)s FOR UPDATE SKIP LOCKED),
newest AS (
    SELECT receipt_id, subject, reference FROM questions
     WHERE provider = %(provider)s AND status = 'asking' AND attempts = 0 AND next_attempt_at <= now()
       AND receipt_id NOT IN (SELECT receipt_id FROM about_known)
     ORDER BY received_at DESC LIMIT %(newest)s FOR UPDATE SKIP LOCKED),
first AS (SELECT * FROM about_known UNION ALL SELECT * FROM newest),
others AS (
    SELECT receipt_id, subject, reference FROM questions
     WHERE provider = %(provider)s AND status = 'asking' AND next_attempt_at <= now()
       AND receipt_id NOT IN (SELECT receipt_id FROM first)
     ORDER BY least(attempts, 3), turn LIMIT %(most)s - (SELECT count(*) FROM first) FOR UPDATE SKIP LOCKED),
due AS (SELECT * FROM first UNION ALL SELECT * FROM others),
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
LEFT_TO_OTHERS = 3
"""Requests of one claim that are not reserved for known orders: the newest one, and one by turn of source."""

# What proved untrue or unknown is not asked again, and its record is most of a row that anybody can cause.
ENDED = """
UPDATE questions SET status = %(status)s, error = %(error)s, event_id = %(event_id)s::uuid,
                     record = CASE %(status)s WHEN 'confirmed' THEN record ELSE '' END
 WHERE receipt_id = %(id)s::uuid AND status = 'asking'
"""
POSTPONED = """
UPDATE questions SET error = %(error)s, unread = unread + %(unread)s,
                     next_attempt_at = now() + %(seconds)s * interval '1 second',
                     turn = greatest(turn, now() + %(seconds)s * interval '1 second')
 WHERE receipt_id = %(id)s::uuid AND status = 'asking'
"""
# A receipt that is delivered again is then told of as what it has become, and not as waiting.
TOLD = "UPDATE inbox SET outcome = %(outcome)s WHERE event_id = %(id)s::uuid"
MOST_BESIDE = 200

FORGET_ENDED = """
DELETE FROM questions WHERE receipt_id IN (
    SELECT receipt_id FROM questions WHERE status IN ('untrue', 'unknown') AND received_at < %(before)s LIMIT %(most)s)
"""
FORGET_TURNS = "DELETE FROM turns WHERE turn < now() - interval '1 minute'"
MOST_AT_ONCE = 5_000

REMEMBER_CONFIRMED = """
UPDATE questions SET status = 'confirmed', event_id = told.event_id, error = NULL
  FROM unnest(%(ids)b::text[]::uuid[], %(events)b::text[]::uuid[]) AS told (receipt_id, event_id)
 WHERE questions.receipt_id = told.receipt_id AND status <> 'confirmed'
"""
REMEMBER_ENDED = """
UPDATE questions SET status = CASE WHEN told.error LIKE 'untrue:%%' THEN 'untrue' ELSE 'unknown' END,
                     error = told.error, record = ''
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


def know(tx: Connection, order_ids: Sequence[str]) -> None:
    """Remember orders of the shop; what is asked about them goes first from now on."""
    if order_ids:
        tx.exec_driver_sql(KNOW, {"orders": list(order_ids)})
        tx.exec_driver_sql(KNOWN_NOW, {"orders": list(order_ids)})


def keep(tx: Connection, receipts: Iterable[tuple[UnconfirmedWebhook, bytes]]) -> None:
    """Remember what is to be asked, due at once."""
    write(tx, KEEP, KEEP_COLUMNS, [_row(receipt, record) for receipt, record in receipts])


def due(tx: Connection, providers: Collection[str]) -> set[str]:
    """Return those of `providers` that have questions due."""
    return {row[0] for row in tx.exec_driver_sql(DUE, {"providers": list(providers)})}


@faults.after("asker.after_claim")
def claim(tx: Connection, provider: str, most: int, lease_s: float) -> list[Claimed]:
    """Take over questions to `provider` that are due: `most` of them, and those beside them."""
    shares = {"known": max(1, most - LEFT_TO_OTHERS), "newest": int(most >= LEFT_TO_OTHERS)}
    wanted = {"provider": provider, "most": most, "beside": MOST_BESIDE, "lease_s": lease_s, **shares}
    return [Claimed(*row) for row in tx.exec_driver_sql(CLAIM, wanted)]


@faults.before("asker.after_publish")
def settle(tx: Connection, verdicts: Sequence[tuple[Claimed, Verdict]]) -> None:
    """Keep what became of these questions; one that somebody else settled meanwhile stays as it is."""
    for claimed, verdict in sorted(verdicts, key=lambda pair: pair[0].receipt_id):
        statement, values = _settled(verdict)
        tx.exec_driver_sql(statement, {"id": claimed.receipt_id, **values})
        if not isinstance(verdict, RetryLater):
            outcome = "processed" if isinstance(verdict, Confirmed) else "abandoned"
            tx.exec_driver_sql(TOLD, {"id": claimed.receipt_id, "outcome": outcome})


def forget(tx: Connection, before: int) -> int:
    """Forget questions that ended as untrue or unknown and were received before a time (microseconds); how many."""
    return tx.exec_driver_sql(FORGET_ENDED, {"before": clock.moment(before), "most": MOST_AT_ONCE}).rowcount


def forget_turns(tx: Connection) -> None:
    """Forget whose turn is over: its next question has its turn at once, as that of a queue nobody knows."""
    tx.exec_driver_sql(FORGET_TURNS)


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
        case RetryLater(error, seconds, unread):
            return POSTPONED, {"error": _text(error), "seconds": seconds, "unread": int(unread)}


def _row(receipt: UnconfirmedWebhook, record: bytes) -> tuple[Any, ...]:
    envelope, question = receipt.envelope, receipt.notice
    order_id = None if question.order_id is None else _text(question.order_id)
    names = (_text(question.subject), _text(question.reference), order_id, receipt.source)
    return (envelope.event_id, envelope.provider, *names, clock.moment(envelope.received_at), record)


def _text(value: str) -> str:
    """What nobody signed may hold what Postgres does not take."""
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")
