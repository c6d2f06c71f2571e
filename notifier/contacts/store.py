"""The SQL for the contacts of orders and customers."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from operator import itemgetter

from sqlalchemy import Connection

from notifier.contacts import parsing
from notifier.tables import customers, orders
from stream.events import CustomerWebhook, DomainEvent, OrderId, OrderWebhook
from stream.store import statements

Row = dict[str, object]

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

SAVE_ORDERS = statements.update(orders).followed_by("AND saved.stated_at >= orders.stated_at")
SAVE_CUSTOMERS = statements.update(customers).followed_by("AND saved.stated_at >= customers.stated_at")

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
    """Lock the orders and people that these events concern until the transaction ends, inserting missing rows.

    People are the customers of events, and the customers and sellers of the orders.
    """
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


def save_orders(tx: Connection, webhooks: Iterable[OrderWebhook]) -> None:
    """Update the contacts of orders, whose rows must be locked. A payload older than the stored one changes nothing.

    A payload's age is by its `updated_at`, else by when its webhook was received.
    """
    SAVE_ORDERS.execute(tx, _newest("order_id", map(_order_row, webhooks)))


def save_customers(tx: Connection, webhooks: Iterable[CustomerWebhook]) -> None:
    """Update the contacts of customers, whose rows must be locked. An older payload than the stored one is ignored."""
    SAVE_CUSTOMERS.execute(tx, _newest("customer_id", map(_customer_row, webhooks)))


def orders_of(tx: Connection, customer_ids: Sequence[str]) -> set[OrderId]:
    """Return the ids of the orders whose customer or seller is one of these people."""
    if not customer_ids:
        return set()
    return set(tx.exec_driver_sql(ORDERS_OF, {"customers": list(customer_ids)}).scalars())


def _lock(tx: Connection, statement: str, row_ids: AbstractSet[str]) -> set[str | None]:
    """Insert missing rows, lock all of them, and return the ids of the people they name."""
    if not row_ids:
        return set()
    values = {"ids": sorted(row_ids)}
    while len(rows := tx.exec_driver_sql(statement, values).all()) < len(row_ids):
        pass
    return {person_id for row in rows for person_id in row}


def _newest(key: str, rows: Iterable[Row]) -> Iterable[Row]:
    """Return the row of each key that was stated last; of rows stated at the same time, the first."""
    newest: dict[object, Row] = {}
    for row in rows:
        newest[row[key]] = max(newest.get(row[key], row), row, key=itemgetter("stated_at"))
    return newest.values()


def _order_row(event: OrderWebhook) -> Row:
    payload = event.payload
    customer, seller = parsing.customer_of(payload), parsing.seller_of(payload)
    return {
        "order_id": payload.order_id,
        "customer_id": payload.customer_id,
        "customer_email": customer.address,
        "customer_name": payload.customer_name,
        "seller_id": payload.seller_id,
        "seller_email": seller.address,
        "locale": payload.locale,
        "link": payload.link,
        "customer_email_problem": customer.problem,
        "seller_email_problem": seller.problem,
        "stated_at": _updated_at(event),
    }


def _customer_row(event: CustomerWebhook) -> Row:
    payload, contact = event.payload, parsing.contact_of(event.payload)
    return {
        "customer_id": payload.customer_id,
        "email": contact.address,
        "name": payload.name,
        "locale": payload.locale,
        "email_problem": contact.problem,
        "stated_at": _updated_at(event),
    }


def _updated_at(event: OrderWebhook | CustomerWebhook) -> int:
    return event.payload.updated_at or event.envelope.received_at
