"""The SQL of alerts, messages and their deliveries."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from console.alerts.domain import Alert, AlertMessage, Kind, StoredAlert
from console.tables.work import alert_deliveries, alert_messages, alerts
from runtime.json_value import JsonValue
from stream.store import statements

# One replica evaluates at a time; the lock ends with the transaction. The schema is part of the key.
LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('alerts.' || current_schema(), 0))"

UPSERT = statements.insert(alerts, without=["sent_at", "ended_at"]).followed_by("""
ON CONFLICT (kind, subject) DO UPDATE
   SET text = excluded.text, count = excluded.count, ended_at = NULL,
       opened_at = CASE WHEN alerts.ended_at IS NULL THEN alerts.opened_at ELSE excluded.opened_at END,
       sent_at = CASE WHEN alerts.ended_at IS NULL THEN alerts.sent_at END
""")
END = """
UPDATE alerts SET ended_at = %(now)s
 WHERE kind = %(kind)s AND ended_at IS NULL AND subject <> ALL (%(subjects)b::text[])
"""
DROP_UNSENT = "DELETE FROM alerts WHERE kind = %(kind)s AND ended_at IS NOT NULL AND sent_at IS NULL"
READ = """
SELECT subject, text, count, opened_at, sent_at, ended_at IS NOT NULL
  FROM alerts WHERE kind = %(kind)s ORDER BY opened_at, subject
"""
LAST = "SELECT max(made_at) FROM alert_messages WHERE kind = %(kind)s AND state = 'open'"
INSERT_MESSAGE = statements.insert_new(alert_messages)
INSERT_DELIVERIES = statements.insert_new(
    alert_deliveries, without=["attempts", "delivered_at", "given_up_at", "error"]
)
MARK_SENT = "UPDATE alerts SET sent_at = %(at)s WHERE kind = %(kind)s AND ended_at IS NULL AND sent_at IS NULL"
DROP_ENDED = "DELETE FROM alerts WHERE kind = %(kind)s AND ended_at IS NOT NULL"

CLAIM = """
SELECT message_id::text, channel, attempts, body, made_at
  FROM alert_deliveries JOIN alert_messages USING (message_id)
 WHERE delivered_at IS NULL AND given_up_at IS NULL AND next_attempt_at <= %(now)s
   AND channel = ANY (%(channels)b::text[])
 ORDER BY next_attempt_at LIMIT 1 FOR UPDATE OF alert_deliveries SKIP LOCKED
"""
DELIVERED = """
UPDATE alert_deliveries SET delivered_at = %(now)s, attempts = attempts + 1, error = NULL
 WHERE message_id = %(id)s::uuid AND channel = %(channel)s
"""
POSTPONE = """
UPDATE alert_deliveries
   SET attempts = attempts + 1, error = %(error)s, next_attempt_at = %(next)s, given_up_at = %(given_up)s::bigint
 WHERE message_id = %(id)s::uuid AND channel = %(channel)s
"""
FORGET = "DELETE FROM alert_messages WHERE made_at < %(before)s"

TABLES = ("alerts", "alert_messages", "alert_deliveries")
"""The tables that no topic holds: a replay copies them from the live schema."""
CLAIM_TIMEOUT = "SET LOCAL idle_in_transaction_session_timeout = '2min'"


class AlertDelivery(NamedTuple):
    """A message that one channel is due to send.

    `attempts` is the number of failed attempts so far, `body` is `AlertMessage.data()`, `made_at` is in microseconds
    since 1970 UTC.
    """

    message_id: str
    channel: str
    attempts: int
    body: Mapping[str, JsonValue]
    made_at: int


def lock(tx: Connection) -> bool:
    """Return True if this transaction may evaluate the alerts, alone until it ends; False if another one does."""
    return bool(tx.exec_driver_sql(LOCK).scalar_one())


def update(tx: Connection, kind: Kind, found: Iterable[Alert], now: int) -> tuple[list[StoredAlert], list[StoredAlert]]:
    """Store `found`, all alerts of the kind at `now` (microseconds since 1970 UTC); others of the kind are over.

    Return the open alerts, and those that are over and that a message has named; the latter stay until `queue` stores
    the message that they are over. Alerts that are over and in no message are deleted.
    """
    by_subject = {alert.subject: alert for alert in found}
    UPSERT.execute(tx, [_row(kind, alert, now) for alert in by_subject.values()])
    tx.exec_driver_sql(END, {"kind": kind, "now": now, "subjects": list(by_subject)})
    tx.exec_driver_sql(DROP_UNSENT, {"kind": kind})
    opened, ended = list[StoredAlert](), list[StoredAlert]()
    for *fields, has_ended in tx.exec_driver_sql(READ, {"kind": kind}):
        (ended if has_ended else opened).append(StoredAlert(*fields))
    return opened, ended


def last_message_at(tx: Connection, kind: Kind) -> int | None:
    """Return when the last message about open alerts of this kind was made (microseconds since 1970 UTC), or None."""
    found: int | None = tx.exec_driver_sql(LAST, {"kind": kind}).scalar()
    return found


def queue(tx: Connection, message: AlertMessage, channels: Sequence[str]) -> None:
    """Store a message and one delivery for each of `channels`, due at once.

    Open alerts of the kind are marked as sent; if the message says that all are over, those that are over are deleted.
    """
    INSERT_MESSAGE.execute(tx, [_message_row(message)])
    INSERT_DELIVERIES.execute(
        tx,
        [{"message_id": message.message_id, "channel": channel, "next_attempt_at": message.at} for channel in channels],
    )
    tx.exec_driver_sql(MARK_SENT if message.state == "open" else DROP_ENDED, {"kind": message.kind, "at": message.at})


def claim(tx: Connection, channels: Sequence[str], now: int) -> AlertDelivery | None:
    """Lock and return the delivery of these channels that is due longest; None if none is due at `now`.

    `now` is in microseconds since 1970 UTC. Rows that other replicas have locked are skipped. The row stays locked
    until the transaction ends.
    """
    tx.exec_driver_sql(CLAIM_TIMEOUT)  # the row stays locked while the receiver is waited for
    row = tx.exec_driver_sql(CLAIM, {"channels": list(channels), "now": now}).one_or_none()
    return None if row is None else AlertDelivery(*row)


def mark_delivered(tx: Connection, delivery: AlertDelivery, now: int) -> None:
    """Record that the channel's receiver has taken the message at `now` (microseconds since 1970 UTC)."""
    tx.exec_driver_sql(DELIVERED, {"id": delivery.message_id, "channel": delivery.channel, "now": now})


def postpone(tx: Connection, delivery: AlertDelivery, error: str, next_at: int, *, given_up_at: int | None) -> None:
    """Record a failed attempt, and that the next one is due at `next_at`.

    If `given_up_at` is a time, there is no next attempt. Times are microseconds since 1970 UTC.
    """
    values = {"id": delivery.message_id, "channel": delivery.channel, "error": error}
    tx.exec_driver_sql(POSTPONE, {**values, "next": next_at, "given_up": given_up_at})


def forget(tx: Connection, before: int) -> None:
    """Delete messages made before this time (microseconds since 1970 UTC), and their deliveries."""
    tx.exec_driver_sql(FORGET, {"before": before})


def carry_over(tx: Connection, live: str) -> None:
    """Copy alerts, messages and deliveries from schema `live`, so that no message is sent again after a promotion."""
    for table in TABLES:
        tx.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM {live}.{table} ON CONFLICT DO NOTHING")  # noqa: S608 - our names


def _row(kind: Kind, alert: Alert, now: int) -> dict[str, object]:
    return {"kind": kind, "subject": alert.subject, "text": alert.text, "count": alert.count, "opened_at": now}


def _message_row(message: AlertMessage) -> dict[str, object]:
    return {
        "message_id": message.message_id,
        "kind": message.kind,
        "state": message.state,
        "body": json.dumps(message.data(), ensure_ascii=False),
        "made_at": message.at,
    }
