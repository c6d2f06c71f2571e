"""All SQL of the subscription processor. Each batch runs one statement per purpose, with an array per column."""

from collections.abc import Collection, Iterable, Sequence

import msgspec
from sqlalchemy import Connection

from processors.subscription.domain import PaidOrder, Subscription, SubscriptionInput
from processors.subscription.tables import orders, subscription_history, subscriptions
from stream.events import OrderId
from stream.state.fold import Result
from stream.store import statements
from stream.store.statements import ColumnValues

LOCK = statements.row_lock(subscriptions, "version")
READ = statements.select(orders, "user_id", "order_id", "registers")
SAVE = statements.update(subscriptions)
SAVE_ORDERS = statements.upsert(orders, keeps=["user_id"])
RECORD = statements.insert(subscription_history)
INSERT_ORDERS_WITHOUT_PLAN = """
INSERT INTO orders_without_plan (order_id) SELECT unnest(%(ids)b::text[]) ON CONFLICT DO NOTHING RETURNING order_id
"""


def lock(tx: Connection, user_ids: Collection[str]) -> dict[str, Subscription]:
    """Insert missing subscriptions, lock all until the transaction ends, and return them by user id."""
    users = LOCK.rows(tx, user_ids)
    if not users:
        return {}
    paid: dict[str, dict[OrderId, PaidOrder]] = {user_id: {} for user_id in user_ids}
    for user_id, order_id, stored in statements.execute(tx, READ, {"keys": list(user_ids)}):
        paid[user_id][order_id] = PaidOrder.load(stored)
    return {user_id: Subscription(user_id, version, paid[user_id]) for user_id, version in users}


def save(tx: Connection, changed: Iterable[Subscription], touched: Collection[OrderId]) -> None:
    """Update the subscriptions, which must be locked, and insert or update those of their orders that are `touched`."""
    by_user = list(changed)
    SAVE.execute_columns(tx, _columns(by_user))
    SAVE_ORDERS.execute_columns(tx, _order_columns(by_user, touched))


def record(tx: Connection, applied: Iterable[tuple[SubscriptionInput, Result]]) -> None:
    """Insert every applied event into the history, late ones included."""
    RECORD.execute_columns(tx, _history_columns(list(applied)))


def insert_orders_without_plan(tx: Connection, order_ids: Collection[OrderId]) -> list[OrderId]:
    """Insert orders that name no plan, and return the ids that were not stored before."""
    if not order_ids:
        return []
    in_order = sorted(order_ids)  # so that two transactions that insert the same orders do not deadlock
    return list(statements.execute(tx, INSERT_ORDERS_WITHOUT_PLAN, {"ids": in_order}).scalars())


def _columns(subscriptions_: Sequence[Subscription]) -> ColumnValues:
    return {
        "user_id": [subscription.user_id for subscription in subscriptions_],
        "plan": [subscription.plan for subscription in subscriptions_],
        "status": [subscription.status for subscription in subscriptions_],
        "started_at": [subscription.started_at for subscription in subscriptions_],
        "ends_at": [subscription.ends_at for subscription in subscriptions_],
        "next_billing_at": [subscription.next_billing_at for subscription in subscriptions_],
        "cancelled_at": [subscription.cancelled_at for subscription in subscriptions_],
        "last_order_id": [subscription.last_order_id for subscription in subscriptions_],
        "version": [subscription.version for subscription in subscriptions_],
    }


def _order_columns(subscriptions_: Sequence[Subscription], touched: Collection[OrderId]) -> ColumnValues:
    """Return the columns of the orders in `touched`, sorted so that all transactions lock rows in one order."""
    paid = [
        (order_id, subscription.user_id, order)
        for subscription in subscriptions_
        for order_id, order in subscription.orders.items()
        if order_id in touched
    ]
    paid.sort(key=lambda row: row[0])
    orders_ = [order for _, _, order in paid]
    return {
        "order_id": [order_id for order_id, _, _ in paid],
        "user_id": [user_id for _, user_id, _ in paid],
        "approved_at": [order.registers.approved_at.value for order in orders_],
        "cancelled_at": [order.cancelled_at for order in orders_],
        "next_billing_at": [order.registers.next_billing_at.value for order in orders_],
        "registers": [order.dump() for order in orders_],
    }


def _history_columns(applied: Sequence[tuple[SubscriptionInput, Result]]) -> ColumnValues:
    events = [event for event, _ in applied]
    return {
        "event_id": [event.event_id for event in events],
        "user_id": [result.key for _, result in applied],
        "order_id": [event.order_id for event in events],
        "event_type": [type(event).__name__ for event in events],
        "outcome": [result.outcome for _, result in applied],
        "caused_by": [event.caused_by for event in events],
        "occurred_at": [event.occurred_at for event in events],
        "received_at": [event.received_at for event in events],
        "payload": [msgspec.json.encode(event).decode() for event in events],
    }
