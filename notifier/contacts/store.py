"""The SQL for the contacts of orders and customers."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from notifier.contacts import parsing
from stream.events import CustomerWebhook, DomainEvent, OrderWebhook
from stream.store.bulk_sql import write

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
                  seller_email_problem = saved.seller_problem, stated_at = saved.stated_at
  FROM unnest(%(ids)b::text[], %(customers)b::text[], %(emails)b::text[], %(names)b::text[], %(sellers)b::text[],
              %(seller_emails)b::text[], %(locales)b::text[], %(links)b::text[], %(problems)b::text[],
              %(seller_problems)b::text[], %(times)b::bigint[])
       AS saved (order_id, customer_id, email, name, seller_id, seller_email, locale, link, problem, seller_problem,
                 stated_at)
 WHERE orders.order_id = saved.order_id AND saved.stated_at >= orders.stated_at
"""
ORDER_COLUMNS = "ids customers emails names sellers seller_emails locales links problems seller_problems times"

SAVE_CUSTOMERS = """
UPDATE customers SET email = saved.email, name = saved.name, locale = saved.locale, email_problem = saved.problem,
                     stated_at = saved.stated_at
  FROM unnest(%(ids)b::text[], %(emails)b::text[], %(names)b::text[], %(locales)b::text[], %(problems)b::text[],
              %(times)b::bigint[])
       AS saved (customer_id, email, name, locale, problem, stated_at)
 WHERE customers.customer_id = saved.customer_id AND saved.stated_at >= customers.stated_at
"""
CUSTOMER_COLUMNS = "ids emails names locales problems times"

ORDERS_OF = """
SELECT order_id FROM orders
 WHERE customer_id = ANY (%(customers)b::text[]) OR seller_id = ANY (%(customers)b::text[])
"""


def lock(
    tx: Connection,
    orders: Iterable[OrderWebhook],
    customers: Iterable[CustomerWebhook],
    events: Iterable[DomainEvent],
) -> None:
    """Lock the orders and customers of these events until the transaction ends, creating missing rows."""
    events, orders = list(events), list(orders)
    order_ids = {event.order_id for event in events if event.order_id} | {event.payload.order_id for event in orders}
    known = _lock(tx, LOCK_ORDERS, order_ids)
    named_by_orders = {name for event in orders for name in (event.payload.customer_id, event.payload.seller_id)}
    people = (
        known
        | named_by_orders
        | {event.customer_id for event in events}
        | {event.payload.customer_id for event in customers}
    )
    _lock(tx, LOCK_CUSTOMERS, {customer_id for customer_id in people if customer_id})


def save_orders(tx: Connection, orders: Iterable[OrderWebhook]) -> None:
    """Store the contacts of orders; the newest payload of an order wins."""
    newest: dict[str, tuple[Any, ...]] = {}
    for event in orders:
        payload, at = event.payload, _updated_at(event)
        customer, seller = parsing.customer_of(payload), parsing.seller_of(payload)
        row = (
            payload.order_id,
            payload.customer_id,
            customer.address,
            payload.customer_name,
            payload.seller_id,
            seller.address,
            payload.locale,
            payload.link,
            customer.problem,
            seller.problem,
            at,
        )
        newest[payload.order_id] = max(newest.get(payload.order_id, row), row, key=lambda candidate: candidate[-1])
    write(tx, SAVE_ORDERS, ORDER_COLUMNS, newest.values())


def save_customers(tx: Connection, customers: Iterable[CustomerWebhook]) -> None:
    """Store the contacts of customers; the newest payload of a customer wins."""
    newest: dict[str, tuple[Any, ...]] = {}
    for event in customers:
        payload, contact = event.payload, parsing.of(event.payload)
        row = (payload.customer_id, contact.address, payload.name, payload.locale, contact.problem, _updated_at(event))
        newest[payload.customer_id] = max(
            newest.get(payload.customer_id, row), row, key=lambda candidate: candidate[-1]
        )
    write(tx, SAVE_CUSTOMERS, CUSTOMER_COLUMNS, newest.values())


def orders_of(tx: Connection, customer_ids: Sequence[str]) -> set[str]:
    """Return the orders whose customer or seller is one of these people."""
    if not customer_ids:
        return set()
    return set(tx.exec_driver_sql(ORDERS_OF, {"customers": list(customer_ids)}).scalars())


def _lock(tx: Connection, statement: str, row_ids: set[str]) -> set[str | None]:
    """Insert missing rows, lock all of them, and return the ids of the people they name."""
    if not row_ids:
        return set()
    values = {"ids": sorted(row_ids)}
    while len(rows := tx.exec_driver_sql(statement, values).all()) < len(row_ids):
        pass
    return {person_id for row in rows for person_id in row}


def _updated_at(event: OrderWebhook | CustomerWebhook) -> int:
    return event.payload.updated_at or event.envelope.received_at
