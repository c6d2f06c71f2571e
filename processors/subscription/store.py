"""All SQL of the subscription processor. Each batch runs one statement per table, with an array per column."""

from collections.abc import Collection, Iterable, Sequence

import msgspec
from sqlalchemy import Connection

from processors.subscription.domain import PaidOrder, Subscription, SubscriptionInput
from processors.subscription.tables import orders, subscription_history, subscriptions
from runtime.clock import to_datetime
from stream.state.fold import Result
from stream.store import statements

INSERT_MISSING = statements.insert_missing(subscriptions)
LOCK = statements.select_for_update(subscriptions, "version")
READ = "SELECT user_id, order_id, registers::text FROM orders WHERE user_id = ANY (%(keys)b::text[])"
SAVE = statements.update(subscriptions)
SAVE_ORDERS = statements.upsert(orders, keeps=["user_id"])
RECORD = statements.insert(subscription_history)
INSERT_ORDERS_WITHOUT_PLAN = """
INSERT INTO orders_without_plan (order_id) SELECT unnest(%(ids)b::text[]) ON CONFLICT DO NOTHING RETURNING order_id
"""


def lock(tx: Connection, user_ids: Sequence[str]) -> dict[str, Subscription]:
    """Lock these users until the transaction ends, and return their subscriptions. `user_ids` must be sorted."""
    if not user_ids:
        return {}
    keys = {"keys": list(user_ids)}
    tx.exec_driver_sql(INSERT_MISSING, keys)
    users = tx.exec_driver_sql(LOCK, keys).all()
    paid: dict[str, dict[str, PaidOrder]] = {user_id: {} for user_id in user_ids}
    for order in tx.exec_driver_sql(READ, keys):
        paid[order.user_id][order.order_id] = PaidOrder.load(order.registers)
    return {user.user_id: Subscription(user.user_id, user.version, paid[user.user_id]) for user in users}


def save(tx: Connection, changed: Iterable[Subscription], touched: Collection[str]) -> None:
    """Write the subscriptions, and their orders whose ids are in `touched`."""
    by_user = list(changed)
    SAVE.execute(tx, [_row(subscription) for subscription in by_user])
    rows = [
        _order_row(subscription.user_id, order_id, order)
        for subscription in by_user
        for order_id, order in subscription.orders.items()
        if order_id in touched
    ]
    SAVE_ORDERS.execute(tx, sorted(rows, key=lambda row: str(row["order_id"])))


def record(tx: Connection, applied: Iterable[tuple[SubscriptionInput, Result]]) -> None:
    """Insert every applied event into the history, late ones included."""
    RECORD.execute(tx, [_history_row(event, result) for event, result in applied])


def insert_orders_without_plan(tx: Connection, order_ids: Sequence[str]) -> list[str]:
    """Insert orders that name no plan, and return the ids that are new. `order_ids` must be sorted."""
    return list(tx.exec_driver_sql(INSERT_ORDERS_WITHOUT_PLAN, {"ids": list(order_ids)}).scalars()) if order_ids else []


def _row(subscription: Subscription) -> dict[str, object]:
    return {
        "user_id": subscription.user_id,
        "plan": subscription.plan,
        "status": subscription.status,
        "started_at": to_datetime(subscription.started_at),
        "ends_at": to_datetime(subscription.ends_at),
        "next_billing_at": to_datetime(subscription.next_billing_at),
        "cancelled_at": to_datetime(subscription.cancelled_at),
        "last_order_id": subscription.last_order_id,
        "version": subscription.version,
    }


def _order_row(user_id: str, order_id: str, order: PaidOrder) -> dict[str, object]:
    return {
        "order_id": order_id,
        "user_id": user_id,
        "approved_at": to_datetime(order.registers.approved_at.value),
        "cancelled_at": to_datetime(order.cancelled_at),
        "next_billing_at": to_datetime(order.registers.next_billing_at.value),
        "registers": order.dump(),
    }


def _history_row(event: SubscriptionInput, result: Result) -> dict[str, object]:
    return {
        "event_id": event.event_id,
        "user_id": result.key,
        "order_id": event.order_id,
        "event_type": type(event).__name__,
        "outcome": result.outcome,
        "caused_by": event.caused_by,
        "occurred_at": to_datetime(event.occurred_at),
        "received_at": to_datetime(event.received_at),
        "payload": msgspec.json.encode(event).decode(),
    }
