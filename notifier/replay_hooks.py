"""What a replay of the notifier does otherwise: whoever was mailed stays mailed, and of the rest nobody will be."""

from collections.abc import Sequence

from sqlalchemy import Connection

from notifier import handler, operator_alerts, store
from notifier.recipients import audiences, message_id
from stream.events import DeadRecord, DomainEvent, NotificationSent, OrderWebhook, QuarantinedWebhook
from stream.state.fold import Result

EVER_S = 1e9
"""No fact is too old to be told of: what has a record was sent, however long ago."""

# Were it queued, the sender would mail it as soon as this store is the live one.
PUT_TO_REST = """
UPDATE notifications SET status = 'unknown', error = 'rebuilt from the topics, which do not say that it was sent'
 WHERE status IN ('waiting', 'queued', 'sending')
"""
RESTORED = "the store was restored from a backup, and may have lost that it was sent"
REWIND = f"""
UPDATE notifications SET status = 'unknown', error = '{RESTORED}'
 WHERE status IN ('waiting', 'queued', 'sending', 'no_recipient')
RETURNING notification_id::text
"""  # noqa: S608 - our own words
REPEATED = f"""
UPDATE notifications SET status = 'unknown', error = '{RESTORED}'
 WHERE notification_id = ANY (%(ids)b::text[]::uuid[]) AND status IN ('waiting', 'queued')
RETURNING notification_id::text
"""  # noqa: S608 - our own words
# As everywhere: an order that names no seller has nobody to tell on that side.
SELLERLESS = f"""
WITH gone AS (
    DELETE FROM notifications USING orders
     WHERE notifications.order_id = orders.order_id AND orders.order_id = ANY (%(orders)b::text[])
       AND status = 'unknown' AND error = '{RESTORED}' AND audience = 'seller'
       AND told_at >= 0 AND seller_email IS NULL AND seller_id IS NULL
    RETURNING notification_id::text AS id)
DELETE FROM alarms USING gone WHERE kind = 'unknown' AND subject = id || ' 0' AND operator_alerts.told_at IS NULL
"""  # noqa: S608 - our own words
QUIET = "UPDATE alarms SET told_at = now() WHERE told_at IS NULL"

STATE = "status, attempts, next_attempt_at, sending_since, error, created_at, sent_at, resolved_at, resolved_as"
TAKE_OVER = f"""
UPDATE notifications SET ({STATE}) = (SELECT {STATE} FROM {{live}}.notifications AS was
                                       WHERE was.notification_id = notifications.notification_id)
 WHERE EXISTS (SELECT FROM {{live}}.notifications AS was WHERE was.notification_id = notifications.notification_id)
"""  # noqa: S608 - our own columns
# Alarms follow from no fact: they are gathered by the clock.
ALARM_MAILS = """
INSERT INTO notifications SELECT * FROM {live}.notifications WHERE fact_type = 'Alarms'
ON CONFLICT (notification_id) DO UPDATE SET fact = excluded.fact, contact = excluded.contact
"""
ALARMS = """
INSERT INTO alarms SELECT * FROM {live}.alarms
ON CONFLICT (kind, subject) DO UPDATE SET raised_at = excluded.raised_at, told_at = excluded.told_at
"""

ASIDE = frozenset(
    "attempts next_attempt_at sending_since error sent_at resolved_at resolved_as raised_at told_at".split()
    + "title message link".split()
)
"""What the sending left in a row, and the words of an in-app row: they are in the language that was known by then.

Whether a mail was sent, and to whom, is compared.
"""
UNTOLD = {"notifications": "fact_type = 'Alarms'"}


def handle(tx: Connection, events: Sequence[handler.Told | NotificationSent], *, operator: str | None) -> list[Result]:
    """Apply facts and people as ever, and note which mails were sent."""
    mails = [event for event in events if isinstance(event, NotificationSent)]
    others = [event for event in events if not isinstance(event, NotificationSent)]
    results = iter(handler.handle(tx, others, operator=operator, max_age_s=EVER_S))
    store.remember_sent(tx, mails)
    return [
        Result(event.notification_id, "processed", ()) if isinstance(event, NotificationSent) else next(results)
        for event in events
    ]


def handle_repeated(
    tx: Connection, events: Sequence[handler.Told], *, operator: str | None, max_age_s: float
) -> list[Result]:
    """Apply events that were handled before the store was restored: whether they were mailed, nobody knows any more."""
    results = handler.handle(tx, events, operator=operator, max_age_s=max_age_s)
    told = [
        message_id(event, audience, store.CHANNEL)
        for event in events
        if isinstance(event, DomainEvent)
        for audience in audiences(event)
    ]
    unknown = list(tx.exec_driver_sql(REPEATED, {"ids": told}).scalars())
    orders = [event.notice.order_id for event in events if isinstance(event, OrderWebhook)]
    orders += [event.order_id for event in events if isinstance(event, DomainEvent) and event.order_id]
    tx.exec_driver_sql(SELLERLESS, {"orders": orders})
    operator_alerts.unknown(tx, unknown)
    refused = [event for event in events if isinstance(event, QuarantinedWebhook)]
    operator_alerts.silence(tx, [event for event in events if isinstance(event, DeadRecord)], refused)
    return results


def rewind(tx: Connection) -> None:
    """Let nothing be sent that a restored store holds: it may have been sent since the backup was made."""
    operator_alerts.silence_all(tx)
    operator_alerts.unknown(tx, list(tx.exec_driver_sql(REWIND).scalars()))


def settle(tx: Connection) -> None:
    """Let nothing in this store be sent."""
    tx.exec_driver_sql(PUT_TO_REST)
    tx.exec_driver_sql(QUIET)


def adopt(tx: Connection, live: str) -> None:
    """Take over from the live store what is on its way, and what people decided."""
    for statement in (TAKE_OVER, ALARM_MAILS, ALARMS):
        tx.exec_driver_sql(statement.format(live=live))
