"""The order processor's handler: in one transaction, lock the orders, apply the events, save."""

from collections.abc import Sequence

from sqlalchemy import Connection

from processors.order import store
from processors.order.domain import OrderInput, apply, order_of
from stream.events import OrderWebhook
from stream.state.fold import Result, fold


def handle(tx: Connection, events: Sequence[OrderInput]) -> list[Result]:
    """Apply new events in order and save the changed orders; return one result each.

    An event that concerns no column of an order is `processed` and changes nothing.
    """
    relevant = [event for event in events if order_of(event)]
    orders = store.lock(tx, sorted({key(event) for event in relevant}))
    results = iter(fold(orders, relevant, key, apply))
    store.save(tx, orders.values())
    return [next(results) if order_of(event) else Result(key(event), "processed", ()) for event in events]


def key(event: OrderInput) -> str:
    """Return the order id, under which OrderStatus is published; the event id for an event that changes no order."""
    return order_of(event) or (event.payload.order_id if isinstance(event, OrderWebhook) else event.event_id)
