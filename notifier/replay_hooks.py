"""Handles the events of a replay, and those that a restored backup lacks: as usual, but their mails are not sent."""

from collections.abc import Sequence

from sqlalchemy import Connection

from notifier import handler, operator_alerts
from notifier.queue import new_mails
from notifier.recipients import audiences, notification_id
from stream.events import DeadRecord, DomainEvent, NotificationSent, OrderId, OrderWebhook, QuarantinedWebhook
from stream.state.fold import Result

NO_MAX_AGE_S = 1e9
"""A replay applies no maximum age: a mail that is in NOTIFICATIONS was sent, however old its event is."""

# If these mails stayed queued, they would be sent as soon as this store is promoted.
STOP_SENDING = """
UPDATE notifications SET status = 'unknown', error = 'rebuilt from the topics, which have no record that it was sent'
 WHERE status IN ('waiting', 'queued', 'sending')
"""
RESTORED = "the store was restored from a backup, so it may have been sent already"
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
# As in new_mails.DROP_SELLERLESS: an order without a seller has no mail to one.
DROP_SELLERLESS = f"""
WITH gone AS (
    DELETE FROM notifications USING orders
     WHERE notifications.order_id = orders.order_id AND orders.order_id = ANY (%(orders)b::text[])
       AND status = 'unknown' AND error = '{RESTORED}' AND audience = 'seller'
       AND stated_at >= 0 AND seller_email IS NULL AND seller_id IS NULL
    RETURNING notification_id::text AS id)
DELETE FROM operator_alerts USING gone
 WHERE kind = 'unknown' AND subject = id || ' 0' AND operator_alerts.mailed_at IS NULL
"""  # noqa: S608 - our own words
SUPPRESS_ALERTS = "UPDATE operator_alerts SET mailed_at = now() WHERE mailed_at IS NULL"

STATE = "status, attempts, next_attempt_at, sending_since, error, created_at, sent_at, resolved_at, resolved_as"
COPY_STATE = f"""
UPDATE notifications SET ({STATE}) = (SELECT {STATE} FROM {{live}}.notifications AS was
                                       WHERE was.notification_id = notifications.notification_id)
 WHERE EXISTS (SELECT FROM {{live}}.notifications AS was WHERE was.notification_id = notifications.notification_id)
"""  # noqa: S608 - our own columns
# Alerts do not follow from events on a topic: they are grouped by time.
COPY_ALERT_MAILS = """
INSERT INTO notifications SELECT * FROM {live}.notifications WHERE event_type = 'OperatorAlerts'
ON CONFLICT (notification_id) DO UPDATE SET event = excluded.event, contact = excluded.contact
"""
# Mails that an operator decided to send again follow from no event either; NOTIFICATIONS has those that were sent.
COPY_AGAIN = """
INSERT INTO notifications SELECT * FROM {live}.notifications WHERE again_of IS NOT NULL
ON CONFLICT (notification_id) DO UPDATE SET event = excluded.event, contact = excluded.contact
"""
COPY_ALERTS = """
INSERT INTO operator_alerts SELECT * FROM {live}.operator_alerts
ON CONFLICT (kind, subject) DO UPDATE SET raised_at = excluded.raised_at, mailed_at = excluded.mailed_at
"""

IGNORED_COLUMNS = frozenset(
    "attempts next_attempt_at sending_since error sent_at resolved_at resolved_as raised_at mailed_at".split()
    + "title message link".split()
)
"""Columns that may differ between a replayed and a live store.

They record the sending, or the text of an in-app row, which is in the language known when it was written. The
status and the contact of a mail are compared.
"""
UNREPLAYED_ROWS = {"notifications": "event_type = 'OperatorAlerts' OR again_of IS NOT NULL"}


def handle(
    tx: Connection, events: Sequence[handler.NotifierEvent | NotificationSent], *, operator: str | None
) -> list[Result]:
    """Apply the events of a replay as usual, at any age; set mails with a NotificationSent to `sent`."""
    mails = [event for event in events if isinstance(event, NotificationSent)]
    others = [event for event in events if not isinstance(event, NotificationSent)]
    results = iter(handler.handle(tx, others, operator=operator, max_age_s=NO_MAX_AGE_S))
    new_mails.record_sent(tx, mails)
    return [
        Result(event.notification_id, "processed", ()) if isinstance(event, NotificationSent) else next(results)
        for event in events
    ]


def handle_repeated(
    tx: Connection, events: Sequence[handler.NotifierEvent], *, operator: str | None, max_age_s: float
) -> list[Result]:
    """Apply events that the store had handled before it was restored from a backup that lacks them.

    Some of their mails may have been sent, so those that would be sent now become `unknown`, with an alert. Alerts of
    dead events and quarantined webhooks are marked as sent.
    """
    results = handler.handle(tx, events, operator=operator, max_age_s=max_age_s)
    notification_ids = [
        notification_id(event, audience, new_mails.CHANNEL)
        for event in events
        if isinstance(event, DomainEvent)
        for audience in audiences(event)
    ]
    unknown = list(tx.exec_driver_sql(REPEATED, {"ids": notification_ids}).scalars())
    orders: list[OrderId] = [event.payload.order_id for event in events if isinstance(event, OrderWebhook)]
    orders += [event.order_id for event in events if isinstance(event, DomainEvent) and event.order_id]
    tx.exec_driver_sql(DROP_SELLERLESS, {"orders": orders})
    operator_alerts.raise_unknown(tx, unknown)
    quarantined = [event for event in events if isinstance(event, QuarantinedWebhook)]
    operator_alerts.suppress(tx, [event for event in events if isinstance(event, DeadRecord)], quarantined)
    return results


def rewind(tx: Connection) -> None:
    """Set the unsent mails of a restored store to `unknown`, with an alert: they may have been sent since the backup.

    Its other unsent alerts are marked as sent.
    """
    operator_alerts.suppress_all(tx)
    operator_alerts.raise_unknown(tx, list(tx.exec_driver_sql(REWIND).scalars()))


def settle(tx: Connection) -> None:
    """Set the mails that a replayed store would send to `unknown`, and its alerts to sent, so that it sends nothing."""
    tx.exec_driver_sql(STOP_SENDING)
    tx.exec_driver_sql(SUPPRESS_ALERTS)


def carry_over(tx: Connection, live: str) -> None:
    """Copy from schema `live` into the replayed one: the state of mails, including people's decisions, and all alerts.

    Alert mails, and mails sent again by an operator, are copied whole, as no event makes them.
    """
    for statement in (COPY_STATE, COPY_ALERT_MAILS, COPY_AGAIN, COPY_ALERTS):
        tx.exec_driver_sql(statement.format(live=live))
