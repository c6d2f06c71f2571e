"""People and messages at rest: all SQL of the notifier."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection

from notifier import contacts
from notifier.contacts import Contact
from notifier.recipients import Audience, is_of_a_plan, message_id
from stream.events import CustomerWebhook, DomainEvent, NotificationSent, OrderWebhook
from stream.store.bulk_sql import write

CHANNEL = "email"

# An order and a customer are a row each, made when first heard of and locked by whatever touches them: so a fact and
# the address it needs cannot pass each other unseen in two transactions.
# Both parts of the statement see the same snapshot: a row that somebody else inserts meanwhile is in neither, and the
# statement is repeated.
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

# A replay may have read first that the mail was sent.
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

# A mail whose fact is nowhere, such as one that told alarms, has no more to it than that it was sent.
REMEMBER_SENT = """
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

# Also one that was given up for want of an address: it is not too late while it is not stale. One whose only contact
# cannot be used is listed at once and not after RECIPIENT_WAIT: somebody has to correct it.
WAKE = """
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

# An order that names no seller has nobody to tell on that side, and of a plan's order nobody will name one.
DROP_SELLERLESS = """
DELETE FROM notifications USING orders
 WHERE notifications.order_id = orders.order_id AND orders.order_id = ANY (%(orders)b::text[])
   AND status IN ('waiting', 'stale') AND audience = 'seller'
   AND (told_at >= 0 OR orders.order_id = ANY (%(plans)b::text[]))
   AND seller_email IS NULL AND seller_email_problem IS NULL AND seller_id IS NULL
"""


@dataclass(frozen=True, slots=True)
class Message:
    """A fact for an audience; `contact` is its address where neither order nor customer gives one."""

    fact: DomainEvent
    audience: Audience
    contact: Contact

    @property
    def notification_id(self) -> str:
        return message_id(self.fact, self.audience, CHANNEL)


@dataclass(frozen=True, slots=True)
class Touched:
    """Whose messages a transaction may have something to do for: new ones, those of these orders and customers."""

    ids: list[str]
    orders: list[str]
    customers: list[str]

    def __bool__(self) -> bool:
        return bool(self.ids or self.orders or self.customers)


def lock(
    tx: Connection,
    orders: Iterable[OrderWebhook],
    customers: Iterable[CustomerWebhook],
    facts: Iterable[DomainEvent],
) -> None:
    """Keep the orders and people these events are about from others until the transaction ends."""
    facts, orders = list(facts), list(orders)
    order_ids = {fact.order_id for fact in facts if fact.order_id} | {event.notice.order_id for event in orders}
    known = _lock(tx, LOCK_ORDERS, order_ids)
    named = {name for event in orders for name in (event.notice.customer_id, event.notice.seller_id)}
    people = known | named | {fact.customer_id for fact in facts} | {event.notice.customer_id for event in customers}
    _lock(tx, LOCK_CUSTOMERS, {customer_id for customer_id in people if customer_id})


def save_orders(tx: Connection, orders: Iterable[OrderWebhook]) -> None:
    """Learn who bought and who sells; of two notices the later one holds."""
    newest: dict[str, tuple[Any, ...]] = {}
    for event in orders:
        notice, at = event.notice, _told_at(event)
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
        newest[notice.order_id] = max(newest.get(notice.order_id, row), row, key=lambda told: told[-1])
    write(tx, SAVE_ORDERS, ORDER_COLUMNS, newest.values())


def save_customers(tx: Connection, customers: Iterable[CustomerWebhook]) -> None:
    """Learn people's addresses; of two notices the later one holds."""
    newest: dict[str, tuple[Any, ...]] = {}
    for event in customers:
        notice, contact = event.notice, contacts.of(event.notice)
        row = (notice.customer_id, contact.address, notice.name, notice.locale, contact.problem, _told_at(event))
        newest[notice.customer_id] = max(newest.get(notice.customer_id, row), row, key=lambda told: told[-1])
    write(tx, SAVE_CUSTOMERS, CUSTOMER_COLUMNS, newest.values())


def queue(tx: Connection, messages: Iterable[Message], max_age_s: float) -> None:
    """One row a message, however often its fact is told; one of a webhook older than `max_age_s` is stale at once."""
    rows = list(zip(*map(_row, {message.notification_id: message for message in messages}.values()), strict=True))
    if rows:
        columns = dict(zip(QUEUE_COLUMNS.split(), map(list, rows), strict=True))
        tx.exec_driver_sql(QUEUE, {**columns, "max_age": max_age_s})


def remember_sent(tx: Connection, mails: Iterable[NotificationSent]) -> None:
    """Note which mails were sent, as the topic tells."""
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
    write(tx, REMEMBER_SENT, "ids facts types audiences channels orders customers times", rows.values())


def touched(
    tx: Connection, messages: Sequence[Message], orders: Sequence[OrderWebhook], customers: Sequence[CustomerWebhook]
) -> Touched:
    """What these events touch, once their orders and customers are saved."""
    people = [event.notice.customer_id for event in customers]
    theirs = tx.exec_driver_sql(ORDERS_OF, {"customers": people}).scalars() if people else ()
    about = {event.notice.order_id for event in orders} | set(theirs)
    return Touched([message.notification_id for message in messages], sorted(about), people)


def wake(tx: Connection, touched: Touched, messages: Sequence[Message], max_age_s: float) -> None:
    """Let the new messages go, and those that waited for these people, as far as there is an address.

    List those whose only address cannot be used.
    """
    sold = [message.fact for message in messages if message.audience == "seller" and message.fact.order_id]
    if about := touched.orders + [str(fact.order_id) for fact in sold]:
        plans = [fact.order_id for fact in sold if is_of_a_plan(fact)]
        tx.exec_driver_sql(DROP_SELLERLESS, {"orders": about, "plans": plans})
    if touched:
        tx.exec_driver_sql(WAKE, {**asdict(touched), "max_age": max_age_s})


def _lock(tx: Connection, statement: str, names: set[str]) -> set[str | None]:
    """Insert the rows that are missing and lock all; return who they name."""
    if not names:
        return set()
    wanted = {"ids": sorted(names)}
    while len(rows := tx.exec_driver_sql(statement, wanted).all()) < len(names):
        pass
    return {person for row in rows for person in row}


def _told_at(event: OrderWebhook | CustomerWebhook) -> int:
    return event.notice.updated_at or event.envelope.received_at


def _row(message: Message) -> tuple[Any, ...]:
    fact = message.fact
    return (
        message.notification_id,
        fact.event_id,
        type(fact).__name__,
        message.audience,
        CHANNEL,
        fact.order_id,
        fact.customer_id,
        *message.contact,
        msgspec.json.encode(fact).decode(),
        fact.received_at,
    )
