"""The order processor's handler: in one transaction, lock the orders, apply the events, save."""

from collections.abc import MutableMapping, Sequence

from sqlalchemy import Connection

from processors.order import store
from processors.order.domain import Order, OrderInput, apply, order_of
from stream.events import OrderId, OrderWebhook
from stream.state.fold import Result


def handle(tx: Connection, events: Sequence[OrderInput]) -> list[Result]:
    """Apply new events in order, save the changed orders, and return one result each.

    An event that concerns no column of an order is `processed` and changes nothing. The caller commits `tx`.
    """
    named = [(order_of(event), event) for event in events]
    orders = store.lock(tx, {order_id for order_id, _ in named if order_id})
    results = [_apply(orders, order_id, event) for order_id, event in named]
    store.save(tx, orders.values())
    return results


def _apply(orders: MutableMapping[OrderId, Order], order_id: OrderId | None, event: OrderInput) -> Result:
    """Apply an event to its order in `orders`; an event without an order is `processed` and changes nothing.

    The result's key is the order id, under which OrderStatus is published, or else the event id.
    """
    if not order_id:
        return Result(event.envelope.event_id if isinstance(event, OrderWebhook) else event.event_id, "processed", ())
    orders[order_id], outcome, domain_events = apply(orders[order_id], event)
    return Result(order_id, outcome, domain_events)
