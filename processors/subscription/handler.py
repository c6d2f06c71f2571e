"""The subscription processor's handler: in one transaction, lock the subscriptions, apply the events, save."""

from collections.abc import Sequence

from sqlalchemy import Connection

from processors.subscription import store
from processors.subscription.domain import (
    SubscriptionInput,
    apply,
    order_without_plan,
    parse_order_id,
    plan_missing_event,
)
from stream.events import DomainEvent, OrderId
from stream.state.fold import Result, fold_into


def handle(tx: Connection, events: Sequence[DomainEvent]) -> list[Result]:
    """Apply new events in order, save subscriptions, orders and history, and return one result each.

    An event whose order id names no plan changes no subscription; if its payment must be for one, PlanMissing is among
    the events of the first result for its order. The caller commits `tx`.
    """
    relevant = [event for event in events if isinstance(event, SubscriptionInput) and parse_order_id(event.order_id)]
    subscriptions = store.lock(tx, {key(event) for event in relevant})
    results = fold_into(subscriptions, relevant, key, apply)
    store.save(tx, subscriptions.values(), touched={event.order_id for event in relevant if event.order_id})
    store.record(tx, zip(relevant, results, strict=True))
    done = {event.event_id: result for event, result in zip(relevant, results, strict=True)} | _plan_missing(tx, events)
    return [done.get(event.event_id) or Result(key(event), "processed", ()) for event in events]


def key(event: DomainEvent) -> str:
    """Return the key under which the event's result is published: its user id, else its order id, else its event id."""
    ordered = parse_order_id(event.order_id)
    return ordered.user_id if ordered else event.order_id or event.event_id


def _plan_missing(tx: Connection, events: Sequence[DomainEvent]) -> dict[str, Result]:
    """Return the results that publish PlanMissing by the id of the causing event, for each order not stored before."""
    causes: dict[OrderId, DomainEvent] = {}
    for event in events:
        if (order_id := order_without_plan(event)) is not None:
            causes.setdefault(order_id, event)
    new = store.insert_orders_without_plan(tx, causes)
    return {
        causes[order_id].event_id: Result(order_id, "processed", (plan_missing_event(order_id, causes[order_id]),))
        for order_id in new
    }
