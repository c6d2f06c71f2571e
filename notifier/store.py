"""Contacts and mails: the notifier's SQL for handling events."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection

from notifier import contacts
from notifier.contacts import Contact
from notifier.recipients import Audience, is_for_subscription, message_id
from stream.events import CustomerWebhook, DomainEvent, NotificationSent, OrderWebhook
from stream.store.bulk_sql import write

CHANNEL = "email"

# Orders and customers get a row at their first event, and each transaction that concerns them locks it. So an event and
# the address it needs cannot miss each other in two concurrent transactions. Both parts of a statement see the same
# snapshot: a row that another transaction inserts meanwhile is in neither, and the statement is repeated.
LOCK_ORDERS = """
WITH added AS (INSERT INTO orders (order_id) SELECT unnest(%(ids)b::text[]) ON CONFLICT DO NOTHING
               RETURNING customer_id, seller_id),
     locked AS (SELECT customer_id, seller_id FROM orders
                 WHERE order_id = ANY (%(ids)b::text[]) ORDER BY order_id FOR UPDATE)
SELECT customer_id, seller_id FROM added UNION ALL SELECT customer_id, seller_id FROM locked
"""
LOCK_CUSTOMERS = """
WITH added AS (INSERT INTO customers (customer_id) SELECT unnest(%(ids)b::text[]) ON CONFLICT DO NOTHING
               RETURNING customer_id),
     locked AS (SELECT customer_id FROM customers
                 WHERE customer_id = ANY (%(ids)b::text[]) ORDER BY customer_id FOR UPDATE)
SELECT customer_id FROM added UNION ALL SELECT customer_id FROM locked
"""

SAVE_ORDERS = """
UPDATE orders SET customer_id = saved.customer_id, customer_email = saved.email, customer_name = saved.name,
                  seller_id = saved.seller_id, seller_email = saved.seller_email, locale = saved.locale,
                  link = saved.link, customer_email_problem = saved.problem,
                  seller_email_problem = saved.seller_problem, told_at = saved.told_at
  FROM unnest(%(ids)b::text[], %(customers)b::text[], %(emails)b::text[], %(names)b::text[], %(sellers)b::text[],
              %(seller_emails)b::text[], %(locales)b::text[], %(links)b::text[], %(problems)b::text[],
              %(seller_problems)b::text[], %(times)b::bigint[])
       AS saved (order_id, customer_id, email, name, seller_id, seller_email, locale, link, problem, seller_problem,
                 told_at)
 WHERE orders.order_id = saved.order_id AND saved.told_at >= orders.told_at
"""
ORDER_COLUMNS = "ids customers emails names sellers seller_emails locales links problems seller_problems times"

SAVE_CUSTOMERS = """
UPDATE customers SET email = saved.email, name = saved.name, locale = saved.locale, email_problem = saved.problem,
                     told_at = saved.told_at
  FROM unnest(%(ids)b::text[], %(emails)b::text[], %(names)b::text[], %(locales)b::text[], %(problems)b::text[],
              %(times)b::bigint[])
       AS saved (customer_id, email, name, locale, problem, told_at)
 WHERE customers.customer_id = saved.customer_id AND saved.told_at >= customers.told_at
"""
CUSTOMER_COLUMNS = "ids emails names locales problems times"

# In a replay, NotificationSent may have been read before the event; then the row exists with an empty `fact`.
QUEUE = """
INSERT INTO notifications (notification_id, fact_id, fact_type, audience, channel, order_id, customer_id, contact,
                           contact_problem, fact, received_at, status)
SELECT id, fact_id, fact_type, audience, channel, order_id, customer_id, contact, problem, fact::json, received_at,
       CASE WHEN received_at < now() - %(max_age)s * interval '1 second' THEN 'stale' ELSE 'waiting' END
  FROM (SELECT *, to_timestamp(micros / 1e6) AS received_at
          FROM unnest(%(ids)b::text[]::uuid[], %(facts)b::text[]::uuid[], %(types)b::text[], %(audiences)b::text[],
                      %(channels)b::text[], %(orders)b::text[], %(customers)b::text[], %(contacts)b::text[],
                      %(problems)b::text[], %(bodies)b::text[], %(times)b::bigint[])
               AS told (id, fact_id, fact_type, audience, channel, order_id, customer_id, contact, problem, fact,
                        micros)
       ) AS aged
ON CONFLICT (notification_id) DO UPDATE
   SET fact = excluded.fact, contact = excluded.contact, contact_problem = excluded.contact_problem,
       received_at = excluded.received_at
 WHERE notifications.fact::text = '{}'
"""
QUEUE_COLUMNS = "ids facts types audiences channels orders customers contacts problems bodies times"

# The event of an alert mail is on no topic, so its row stays empty but for being sent.
RECORD_SENT = """
INSERT INTO notifications (notification_id, fact_id, fact_type, audience, channel, order_id, customer_id, fact, status,
                           sent_at)
SELECT id, fact_id, fact_type, audience, channel, order_id, customer_id, '{}', 'sent', to_timestamp(micros / 1e6)
  FROM unnest(%(ids)b::text[]::uuid[], %(facts)b::text[]::uuid[], %(types)b::text[], %(audiences)b::text[],
              %(channels)b::text[], %(orders)b::text[], %(customers)b::text[], %(times)b::bigint[])
       AS told (id, fact_id, fact_type, audience, channel, order_id, customer_id, micros)
ON CONFLICT (notification_id) DO UPDATE SET status = 'sent', sent_at = excluded.sent_at, error = NULL
"""

ORDERS_OF = """
SELECT order_id FROM orders
 WHERE customer_id = ANY (%(customers)b::text[]) OR seller_id = ANY (%(customers)b::text[])
"""

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
   AND (told_at >= 0 OR orders.order_id = ANY (%(plans)b::text[]))
   AND seller_email IS NULL AND seller_email_problem IS NULL AND seller_id IS NULL
"""


@dataclass(frozen=True, slots=True)
class NewMail:
    """A mail to queue; `contact` is used if neither the order nor the customer gives an address."""

    event: DomainEvent
    audience: Audience
    contact: Contact

    @property
    def notification_id(self) -> str:
        return message_id(self.event, self.audience, CHANNEL)


@dataclass(frozen=True, slots=True)
class Touched:
    """Selects the mails a transaction may release: new ones, and those of these orders and customers."""

    ids: list[str]
    orders: list[str]
    customers: list[str]

    def __bool__(self) -> bool:
        return bool(self.ids or self.orders or self.customers)


def lock(
    tx: Connection,
    orders: Iterable[OrderWebhook],
    customers: Iterable[CustomerWebhook],
    events: Iterable[DomainEvent],
) -> None:
    """Lock the orders and customers of these events until the transaction ends, creating missing rows."""
    events, orders = list(events), list(orders)
    order_ids = {event.order_id for event in events if event.order_id} | {event.notice.order_id for event in orders}
    known = _lock(tx, LOCK_ORDERS, order_ids)
    named_by_orders = {name for event in orders for name in (event.notice.customer_id, event.notice.seller_id)}
    people = (
        known
        | named_by_orders
        | {event.customer_id for event in events}
        | {event.notice.customer_id for event in customers}
    )
    _lock(tx, LOCK_CUSTOMERS, {customer_id for customer_id in people if customer_id})


def save_orders(tx: Connection, orders: Iterable[OrderWebhook]) -> None:
    """Store the contacts of orders; the newest payload of an order wins."""
    newest: dict[str, tuple[Any, ...]] = {}
    for event in orders:
        notice, at = event.notice, _updated_at(event)
        customer, seller = contacts.customer_of(notice), contacts.seller_of(notice)
        row = (
            notice.order_id,
            notice.customer_id,
            customer.address,
            notice.customer_name,
            notice.seller_id,
            seller.address,
            notice.locale,
            notice.link,
            customer.problem,
            seller.problem,
            at,
        )
        newest[notice.order_id] = max(newest.get(notice.order_id, row), row, key=lambda candidate: candidate[-1])
    write(tx, SAVE_ORDERS, ORDER_COLUMNS, newest.values())


def save_customers(tx: Connection, customers: Iterable[CustomerWebhook]) -> None:
    """Store the contacts of customers; the newest payload of a customer wins."""
    newest: dict[str, tuple[Any, ...]] = {}
    for event in customers:
        notice, contact = event.notice, contacts.of(event.notice)
        row = (notice.customer_id, contact.address, notice.name, notice.locale, contact.problem, _updated_at(event))
        newest[notice.customer_id] = max(newest.get(notice.customer_id, row), row, key=lambda candidate: candidate[-1])
    write(tx, SAVE_CUSTOMERS, CUSTOMER_COLUMNS, newest.values())


def queue(tx: Connection, mails: Iterable[NewMail], max_age_s: float) -> None:
    """Insert mails that are not there yet; one whose webhook is older than `max_age_s` becomes `stale`."""
    rows = list(zip(*map(_row, {mail.notification_id: mail for mail in mails}.values()), strict=True))
    if rows:
        columns = dict(zip(QUEUE_COLUMNS.split(), map(list, rows), strict=True))
        tx.exec_driver_sql(QUEUE, {**columns, "max_age": max_age_s})


def record_sent(tx: Connection, mails: Iterable[NotificationSent]) -> None:
    """Set mails to `sent` according to the records on NOTIFICATIONS."""
    rows = {
        mail.notification_id: (
            mail.notification_id,
            mail.fact_id,
            mail.fact_type,
            mail.audience,
            mail.channel,
            mail.order_id,
            mail.customer_id,
            mail.sent_at,
        )
        for mail in mails
    }
    write(tx, RECORD_SENT, "ids facts types audiences channels orders customers times", rows.values())


def touched(
    tx: Connection, mails: Sequence[NewMail], orders: Sequence[OrderWebhook], customers: Sequence[CustomerWebhook]
) -> Touched:
    """Return the mails that may be released. Call it after the orders and customers are saved."""
    customer_ids = [event.notice.customer_id for event in customers]
    their_orders = tx.exec_driver_sql(ORDERS_OF, {"customers": customer_ids}).scalars() if customer_ids else ()
    order_ids = {event.notice.order_id for event in orders} | set(their_orders)
    return Touched([mail.notification_id for mail in mails], sorted(order_ids), customer_ids)


def release(tx: Connection, touched: Touched, mails: Sequence[NewMail], max_age_s: float) -> None:
    """Queue new and waiting mails that have an address now, and delete mails to the seller of an order that has none.

    A mail whose only address cannot be used becomes `no_recipient`.
    """
    seller_events = [mail.event for mail in mails if mail.audience == "seller" and mail.event.order_id]
    if order_ids := touched.orders + [str(event.order_id) for event in seller_events]:
        plans = [event.order_id for event in seller_events if is_for_subscription(event)]
        tx.exec_driver_sql(DROP_SELLERLESS, {"orders": order_ids, "plans": plans})
    if touched:
        tx.exec_driver_sql(RELEASE, {**asdict(touched), "max_age": max_age_s})


def _lock(tx: Connection, statement: str, row_ids: set[str]) -> set[str | None]:
    """Insert missing rows, lock all of them, and return the ids of the people they name."""
    if not row_ids:
        return set()
    values = {"ids": sorted(row_ids)}
    while len(rows := tx.exec_driver_sql(statement, values).all()) < len(row_ids):
        pass
    return {person_id for row in rows for person_id in row}


def _updated_at(event: OrderWebhook | CustomerWebhook) -> int:
    return event.notice.updated_at or event.envelope.received_at


def _row(mail: NewMail) -> tuple[Any, ...]:
    event = mail.event
    return (
        mail.notification_id,
        event.event_id,
        type(event).__name__,
        mail.audience,
        CHANNEL,
        event.order_id,
        event.customer_id,
        *mail.contact,
        msgspec.json.encode(event).decode(),
        event.received_at,
    )
