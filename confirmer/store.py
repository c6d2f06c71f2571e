"""All SQL of the confirmer. The table `verification_requests` holds one verification per unconfirmed webhook.

A claim is a lease: it postpones the next attempt in its own transaction. A verification whose poller died is therefore
due again when the lease has expired, and no transaction is open while a provider answers.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from confirmer.tables import orders, verification_requests
from confirmer.verdict import Confirmed, EndedStatus, Rejected, RetryLater, Unknown, Verdict
from runtime import clock, faults
from stream.events import UnconfirmedWebhook
from stream.events.json_text import without_nul
from stream.store import statements
from stream.store.pausing import NOT_PAUSED
from stream.store.statements import BulkStatement

INSERT_ORDERS = statements.insert_missing(orders)
MARK_KNOWN = """
UPDATE verification_requests SET known = true, turn = least(turn, now())
 WHERE status = 'asking' AND NOT known AND order_id = ANY (%(keys)b::text[])
"""

# Verifications take turns: each of a source comes a second after the one before it, so 600 of one source come up to ten
# minutes after the first of another. Those about a known order (the shop reported it, or a webhook about it was
# confirmed) queue behind others about the same order, and not behind those of their source.
INSERT = BulkStatement(
    """
WITH new AS (
    SELECT * FROM unnest(%(request_id)b::text[]::uuid[], %(provider)b::text[], %(subject)b::text[], %(alias)b::text[],
                         %(order_id)b::text[], %(source)b::text[], %(received_at)b::timestamptz[], %(record)b::bytea[])
        WITH ORDINALITY AS posted (request_id, provider, subject, alias, order_id, source, received_at, record, nth)
     WHERE NOT EXISTS (SELECT FROM verification_requests WHERE verification_requests.request_id = posted.request_id)),
judged AS (
    SELECT *, EXISTS (SELECT FROM orders WHERE orders.order_id = new.order_id)
              OR EXISTS (SELECT FROM verification_requests AS before
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
INSERT INTO verification_requests (request_id, provider, subject, alias, order_id, source, received_at, record, known,
                                   turn)
SELECT request_id, provider, subject, alias, order_id, source, received_at, record, known, turn FROM queued
ON CONFLICT DO NOTHING
""",
    ("request_id", "provider", "subject", "alias", "order_id", "source", "received_at", "record"),
)

PROVIDERS_DUE = f"""
SELECT provider FROM unnest(%(providers)b::text[]) AS one (provider)
 WHERE {NOT_PAUSED} AND EXISTS (SELECT FROM verification_requests
                WHERE verification_requests.provider = one.provider AND status = 'asking' AND next_attempt_at <= now())
"""  # noqa: S608 - a constant condition

# First those about known orders, then the newest, then by turn; and with each, all that are due about the same
# alias, because one request answers them all. Fewer attempts come first.
CLAIM = f"""
WITH about_known AS (
    SELECT request_id, subject, alias FROM verification_requests
     WHERE provider = %(provider)s AND status = 'asking' AND known AND next_attempt_at <= now()
     ORDER BY least(attempts, 3), turn LIMIT %(known)s FOR UPDATE SKIP LOCKED),
newest AS (
    SELECT request_id, subject, alias FROM verification_requests
     WHERE provider = %(provider)s AND status = 'asking' AND attempts = 0 AND next_attempt_at <= now()
       AND request_id NOT IN (SELECT request_id FROM about_known)
     ORDER BY received_at DESC LIMIT %(newest)s FOR UPDATE SKIP LOCKED),
first AS (SELECT * FROM about_known UNION ALL SELECT * FROM newest),
others AS (
    SELECT request_id, subject, alias FROM verification_requests
     WHERE provider = %(provider)s AND status = 'asking' AND next_attempt_at <= now()
       AND request_id NOT IN (SELECT request_id FROM first)
     ORDER BY least(attempts, 3), turn LIMIT %(most)s - (SELECT count(*) FROM first) FOR UPDATE SKIP LOCKED),
due AS (SELECT * FROM (SELECT * FROM first UNION ALL SELECT * FROM others) AS claimed WHERE {NOT_PAUSED}),
beside AS (
    SELECT request_id FROM verification_requests JOIN (SELECT DISTINCT subject, alias FROM due) AS asked
     USING (subject, alias)
     WHERE provider = %(provider)s AND status = 'asking' AND next_attempt_at <= now()
     LIMIT %(beside)s FOR UPDATE OF verification_requests SKIP LOCKED),
leased AS (
    UPDATE verification_requests SET attempts = attempts + 1, asked_at = now(),
                         next_attempt_at = now() + %(lease_s)s * interval '1 second'
     WHERE request_id IN (SELECT request_id FROM due UNION SELECT request_id FROM beside)
    RETURNING request_id, attempts, unread, record)
SELECT request_id::text, attempts, unread, record, partition, "offset"
  FROM leased JOIN inbox ON inbox.event_id = leased.request_id
"""  # noqa: S608 - a constant condition
UNRESERVED = 3
"""The verifications of one claim that are not reserved for known orders: the newest one, and others by turn."""

# An untrue or unknown webhook is never verified again. Its record, the largest part of a row that anybody can cause, is
# deleted.
END = """
UPDATE verification_requests SET status = %(status)s, error = %(error)s, event_id = %(event_id)s::uuid,
                     record = CASE %(status)s WHEN 'confirmed' THEN record ELSE '' END
 WHERE request_id = %(id)s::uuid AND status = 'asking'
"""
POSTPONE = """
UPDATE verification_requests SET error = %(error)s, unread = unread + %(unread)s,
                     next_attempt_at = now() + %(seconds)s * interval '1 second',
                     turn = greatest(turn, now() + %(seconds)s * interval '1 second')
 WHERE request_id = %(id)s::uuid AND status = 'asking'
"""
# A webhook that is delivered again then gets this outcome, and not `waiting`.
SET_INBOX_OUTCOME = "UPDATE inbox SET outcome = %(outcome)s WHERE event_id = %(id)s::uuid"
MAX_BESIDE = 200

DELETE_ENDED = """
DELETE FROM verification_requests WHERE request_id IN (
    SELECT request_id FROM verification_requests WHERE status IN ('untrue', 'unknown') AND received_at < %(before)s
     LIMIT %(most)s)
"""
DELETE_PAST_TURNS = "DELETE FROM turns WHERE turn < now() - interval '1 minute'"
DELETE_BATCH = 5_000

SET_CONFIRMED = statements.update(verification_requests, "status", "event_id", "error").followed_by(
    "AND verification_requests.status <> 'confirmed'"
)
SET_ENDED = statements.update(verification_requests, "status", "error", "record").followed_by(
    "AND verification_requests.status = 'asking'"
)


@dataclass(frozen=True, slots=True)
class ClaimedVerification:
    """A verification leased to this poller.

    `attempts` counts this attempt, `unread` the unreadable responses before it. `record` is the encoded webhook;
    `partition` and `offset` are its position on `webhooks.unconfirmed.v1`.
    """

    request_id: str
    attempts: int
    unread: int
    record: bytes
    partition: int
    offset: int


def add_known_orders(tx: Connection, order_ids: Sequence[str]) -> None:
    """Insert orders of the shop; verifications about them come first from now on."""
    if order_ids:
        keys = {"keys": sorted(order_ids)}
        tx.exec_driver_sql(INSERT_ORDERS, keys)
        tx.exec_driver_sql(MARK_KNOWN, keys)


def insert(tx: Connection, webhooks: Iterable[tuple[UnconfirmedWebhook, bytes]]) -> None:
    """Insert a verification, due at once, for each webhook, given with its encoded record."""
    INSERT.execute(tx, [_row(webhook, record) for webhook, record in webhooks])


def providers_due(tx: Connection, providers: Collection[str]) -> set[str]:
    """Return those of `providers` that have verifications due."""
    return {row[0] for row in tx.exec_driver_sql(PROVIDERS_DUE, {"providers": list(providers)})}


@faults.after("poller.after_claim")
def claim(tx: Connection, provider: str, most: int, lease_s: float) -> list[ClaimedVerification]:
    """Lease up to `most` verifications of `provider` that are due, and up to MAX_BESIDE about the same aliases."""
    shares = {"known": max(1, most - UNRESERVED), "newest": int(most >= UNRESERVED)}
    wanted = {"provider": provider, "most": most, "beside": MAX_BESIDE, "lease_s": lease_s, **shares}
    return [ClaimedVerification(*row) for row in tx.exec_driver_sql(CLAIM, wanted)]


@faults.before("poller.after_publish")
def save_verdicts(tx: Connection, verdicts: Sequence[tuple[ClaimedVerification, Verdict]]) -> None:
    """Write the verdicts. A verification that another poller has ended meanwhile stays as it is."""
    for claimed, verdict in sorted(verdicts, key=lambda pair: pair[0].request_id):
        statement, values = _update(verdict)
        tx.exec_driver_sql(statement, {"id": claimed.request_id, **values})
        if not isinstance(verdict, RetryLater):
            outcome = "processed" if isinstance(verdict, Confirmed) else "dead"
            tx.exec_driver_sql(SET_INBOX_OUTCOME, {"id": claimed.request_id, "outcome": outcome})


def delete_ended(tx: Connection, before: int) -> int:
    """Delete at most DELETE_BATCH untrue or unknown verifications received before a time (µs); return how many."""
    return tx.exec_driver_sql(DELETE_ENDED, {"before": clock.to_datetime(before), "most": DELETE_BATCH}).rowcount


def delete_past_turns(tx: Connection) -> None:
    """Delete queues whose last turn is over: their next verification is due at once, as in a new queue."""
    tx.exec_driver_sql(DELETE_PAST_TURNS)


def set_confirmed(tx: Connection, confirmed: Sequence[tuple[str, str]]) -> None:
    """Set verifications to `confirmed` in a replay; `confirmed` holds (verification request id, event id)."""
    SET_CONFIRMED.execute(
        tx,
        [
            {"request_id": request_id, "status": "confirmed", "event_id": event_id, "error": None}
            for request_id, event_id in confirmed
        ],
    )


def set_ended(tx: Connection, ended: Sequence[tuple[str, EndedStatus, str]]) -> None:
    """Set verifications to their final status in a replay; `ended` holds (verification request id, status, error)."""
    SET_ENDED.execute(
        tx,
        [
            {"request_id": request_id, "status": status, "error": without_nul(error), "record": b""}
            for request_id, status, error in ended
        ],
    )


def _update(verdict: Verdict) -> tuple[str, dict[str, Any]]:
    match verdict:
        case Confirmed(event):
            event_id = event.webhook.envelope.event_id
            return END, {"status": "confirmed", "error": None, "event_id": event_id}
        case Rejected(_, error):
            return END, {"status": "untrue", "error": without_nul(error), "event_id": None}
        case Unknown(error):
            return END, {"status": "unknown", "error": without_nul(error), "event_id": None}
        case RetryLater(error, seconds, unread):
            return POSTPONE, {"error": without_nul(error), "seconds": seconds, "unread": int(unread)}


def _row(webhook: UnconfirmedWebhook, record: bytes) -> dict[str, object]:
    envelope, request = webhook.envelope, webhook.payload
    return {
        "request_id": envelope.event_id,
        "provider": envelope.provider,
        "subject": without_nul(request.subject),
        "alias": without_nul(request.alias),
        "order_id": None if request.order_id is None else without_nul(request.order_id),
        "source": webhook.source,
        "received_at": clock.to_datetime(envelope.received_at),
        "record": record,
    }
