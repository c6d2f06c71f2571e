"""The SQL that inserts mails and releases them once their recipient's address is known."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import msgspec
from sqlalchemy import Connection

from notifier.contacts import store as contact_store
from notifier.contacts.parsing import Contact
from notifier.recipients import Audience, is_for_subscription, notification_id
from notifier.tables import notifications
from stream.events import CustomerWebhook, DomainEvent, NotificationSent, OrderId, OrderWebhook
from stream.store import statements

CHANNEL = "email"

# In a replay, NotificationSent may have been read before the event; then the row exists with an empty `event`.
QUEUE = """
INSERT INTO notifications (notification_id, event_id, event_type, audience, channel, order_id, customer_id, contact,
                           contact_problem, event, received_at, status)
SELECT notification_id, event_id, event_type, audience, channel, order_id, customer_id, contact, contact_problem, event,
       received_at,
       CASE WHEN received_at < now() - %(max_age)s * interval '1 second' THEN 'stale' ELSE 'waiting' END
  FROM (SELECT *, to_timestamp(micros / 1e6) AS received_at
          FROM unnest(%(notification_id)b::text[]::uuid[], %(event_id)b::text[]::uuid[], %(event_type)b::text[],
                      %(audience)b::text[], %(channel)b::text[], %(order_id)b::text[], %(customer_id)b::text[],
                      %(contact)b::text[], %(contact_problem)b::text[], %(event)b::text[]::json[],
                      %(received_at)b::bigint[])
               AS saved (notification_id, event_id, event_type, audience, channel, order_id, customer_id, contact,
                        contact_problem, event, micros)
       ) AS aged
ON CONFLICT (notification_id) DO UPDATE
   SET event = excluded.event, contact = excluded.contact, contact_problem = excluded.contact_problem,
       received_at = excluded.received_at
 WHERE notifications.event::text = '{}'
"""

# The event of an alert mail is on no topic, so its row stays empty but for being sent.
RECORD_SENT = statements.insert(
    notifications,
    without=[
        *("contact", "contact_problem", "attempts", "next_attempt_at", "sending_since", "error", "received_at"),
        *("resolved_at", "resolved_as"),
    ],
).followed_by("ON CONFLICT (notification_id) DO UPDATE SET status = 'sent', sent_at = excluded.sent_at, error = NULL")

# This includes mails that are `no_recipient`, as long as they are not stale. A mail whose only contact cannot be used
# is listed at once and not after RECIPIENT_WAIT, because somebody has to correct the contact.
RELEASE = """
UPDATE notifications
   SET status = CASE WHEN addressed.recipient IS NULL THEN 'no_recipient' ELSE 'queued' END,
       error = CASE WHEN addressed.recipient IS NULL THEN addressed.problem END,
       next_attempt_at = now()
  FROM addressed
 WHERE addressed.notification_id = notifications.notification_id
   AND notifications.status IN ('waiting', 'no_recipient')
   AND CASE WHEN addressed.recipient IS NULL THEN addressed.problem IS NOT NULL
            ELSE notifications.received_at >= now() - %(max_age)s * interval '1 second' END
   AND (notifications.notification_id = ANY (%(ids)b::text[]::uuid[])
        OR notifications.order_id = ANY (%(orders)b::text[])
        OR notifications.customer_id = ANY (%(customers)b::text[]))
"""

# An order without a seller has no mail to one; a subscription's order never gets a seller.
DROP_SELLERLESS = """
DELETE FROM notifications USING orders
 WHERE notifications.order_id = orders.order_id AND orders.order_id = ANY (%(orders)b::text[])
   AND status IN ('waiting', 'stale') AND audience = 'seller'
   AND (stated_at >= 0 OR orders.order_id = ANY (%(plans)b::text[]))
   AND seller_email IS NULL AND seller_email_problem IS NULL AND seller_id IS NULL
"""


@dataclass(frozen=True, slots=True)
class NewMail:
    """A mail to queue; its `contact` is used if neither the order nor the customer gives an address."""

    event: DomainEvent
    audience: Audience
    contact: Contact

    @property
    def notification_id(self) -> str:
        return notification_id(self.event, self.audience, CHANNEL)


@dataclass(frozen=True, slots=True)
class Touched:
    """Selects the mails that a transaction may release: by their own ids, and by those of their orders and customers.

    False if it selects none.
    """

    ids: list[str]
    orders: list[OrderId]
    customers: list[str]

    def __bool__(self) -> bool:
        return bool(self.ids or self.orders or self.customers)


def queue(tx: Connection, mails: Iterable[NewMail], max_age_s: float) -> None:
    """Insert mails that are not stored yet as `waiting`, or as `stale` if their webhook is older than `max_age_s`.

    A stored mail without an event gets its event, contact and age, and keeps its status.
    """
    rows = [_row(mail) for mail in {mail.notification_id: mail for mail in mails}.values()]
    if rows:
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        tx.exec_driver_sql(QUEUE, {**columns, "max_age": max_age_s})


def record_sent(tx: Connection, mails: Iterable[NotificationSent]) -> None:
    """Set the mails of these records to `sent`; insert those that are not stored, without their event."""
    RECORD_SENT.execute(tx, {mail.notification_id: _sent_row(mail) for mail in mails}.values())


def touched(
    tx: Connection, mails: Sequence[NewMail], orders: Sequence[OrderWebhook], customers: Sequence[CustomerWebhook]
) -> Touched:
    """Select the new mails, and those of the orders and customers in this batch, for `release`.

    Call `touched` after the orders and customers are saved: it reads the orders of these customers.
    """
    customer_ids = [event.payload.customer_id for event in customers]
    order_ids = {event.payload.order_id for event in orders} | contact_store.orders_of(tx, customer_ids)
    return Touched([mail.notification_id for mail in mails], sorted(order_ids), customer_ids)


def release(tx: Connection, touched: Touched, mails: Sequence[NewMail], max_age_s: float) -> None:
    """Queue the touched mails that are `waiting` or `no_recipient` and have an address now, unless they are too old.

    A mail whose only address cannot be used becomes `no_recipient`. Waiting mails to the seller of an order without
    one, and of a subscription's order, are deleted; `mails` are the new mails. The rest stay as they are.
    """
    of_seller = [
        (mail.event.order_id, mail.event) for mail in mails if mail.audience == "seller" and mail.event.order_id
    ]
    if order_ids := touched.orders + [order_id for order_id, _ in of_seller]:
        plans = [order_id for order_id, event in of_seller if is_for_subscription(event)]
        tx.exec_driver_sql(DROP_SELLERLESS, {"orders": order_ids, "plans": plans})
    if touched:
        tx.exec_driver_sql(RELEASE, {**asdict(touched), "max_age": max_age_s})


def _row(mail: NewMail) -> dict[str, object]:
    event = mail.event
    return {
        "notification_id": mail.notification_id,
        "event_id": event.event_id,
        "event_type": type(event).__name__,
        "audience": mail.audience,
        "channel": CHANNEL,
        "order_id": event.order_id,
        "customer_id": event.customer_id,
        "contact": mail.contact.address,
        "contact_problem": mail.contact.problem,
        "event": msgspec.json.encode(event).decode(),
        "received_at": event.received_at,
    }


def _sent_row(mail: NotificationSent) -> dict[str, object]:
    return {
        "notification_id": mail.notification_id,
        "event_id": mail.event_id,
        "event_type": mail.event_type,
        "audience": mail.audience,
        "channel": mail.channel,
        "order_id": mail.order_id,
        "customer_id": mail.customer_id,
        "event": "{}",
        "status": "sent",
        "sent_at": mail.sent_at,
        "again_of": mail.again_of,
    }
