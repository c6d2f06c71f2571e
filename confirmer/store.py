"""The SQL of verifications except claims: insert, delete, and the results that a replay reads.

The table `verification_requests` holds one verification per unconfirmed webhook.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from confirmer.tables import orders, verification_requests
from confirmer.verdict import EndedStatus
from runtime import clock
from stream.events import UnconfirmedWebhook
from stream.events.text.json_text import without_nul
from stream.store import statements
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


def add_known_orders(tx: Connection, order_ids: Sequence[str]) -> None:
    """Insert orders of the shop, if they are new; verifications about them come first from now on, open ones too."""
    if order_ids:
        keys = {"keys": sorted(order_ids)}
        tx.exec_driver_sql(INSERT_ORDERS, keys)
        tx.exec_driver_sql(MARK_KNOWN, keys)


def insert(tx: Connection, webhooks: Iterable[tuple[UnconfirmedWebhook, bytes]]) -> None:
    """Insert a verification, due at once, for each webhook without one; `webhooks` holds (webhook, encoded record)."""
    INSERT.execute(tx, [_row(webhook, record) for webhook, record in webhooks])


def delete_ended(tx: Connection, before: int) -> int:
    """Delete at most DELETE_BATCH untrue or unknown verifications received before a time (µs); return how many."""
    return tx.exec_driver_sql(DELETE_ENDED, {"before": clock.to_datetime(before), "most": DELETE_BATCH}).rowcount


def delete_past_turns(tx: Connection) -> None:
    """Delete queues whose last turn is over: their next verification gets a turn at once, as in a new queue."""
    tx.exec_driver_sql(DELETE_PAST_TURNS)


def set_confirmed(tx: Connection, confirmed: Sequence[tuple[str, str]]) -> None:
    """Set verifications to `confirmed` in a replay; `confirmed` holds (request id, id of the confirmed event).

    A request without a verification, or with a confirmed one, changes nothing.
    """
    SET_CONFIRMED.execute(
        tx,
        [
            {"request_id": request_id, "status": "confirmed", "event_id": event_id, "error": None}
            for request_id, event_id in confirmed
        ],
    )


def set_ended(tx: Connection, ended: Sequence[tuple[str, EndedStatus, str]]) -> None:
    """End open verifications in a replay, and empty their records; `ended` holds (request id, status, error).

    A request without an open verification changes nothing.
    """
    SET_ENDED.execute(
        tx,
        [
            {"request_id": request_id, "status": status, "error": without_nul(error), "record": b""}
            for request_id, status, error in ended
        ],
    )


def _row(webhook: UnconfirmedWebhook, record: bytes) -> dict[str, object]:
    envelope, request = webhook.envelope, webhook.payload
    return {
        "request_id": envelope.event_id,
        "provider": envelope.provider,
        "subject": without_nul(request.subject),
        "alias": without_nul(request.alias),
        "order_id": None if request.order_id is None else without_nul(request.order_id),
        "source": webhook.source,
        "received_at": envelope.received_at,
        "record": record,
    }
