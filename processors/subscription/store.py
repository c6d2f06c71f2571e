"""All SQL of the subscription processor. Each batch runs one statement per table, with an array per column."""

from collections.abc import Collection, Iterable, Sequence

import msgspec
from sqlalchemy import Connection

from processors.subscription.domain import PaidOrder, Subscription, SubscriptionInput
from runtime.clock import to_datetime
from stream.state.fold import Result
from stream.store.bulk_sql import write

INSERT_MISSING = "INSERT INTO subscriptions (user_id) SELECT unnest(%(ids)b::text[]) ON CONFLICT DO NOTHING"

LOCK = """
SELECT user_id, version FROM subscriptions WHERE user_id = ANY (%(ids)b::text[]) ORDER BY user_id FOR UPDATE
"""

READ = "SELECT user_id, order_id, registers::text FROM orders WHERE user_id = ANY (%(ids)b::text[])"

SAVE = """
UPDATE subscriptions SET plan = saved.plan, status = saved.status, started_at = saved.started_at,
                         ends_at = saved.ends_at, next_billing_at = saved.next_billing_at,
                         cancelled_at = saved.cancelled_at, last_order_id = saved.last_order_id,
                         version = saved.version, updated_at = now()
  FROM unnest(%(ids)b::text[], %(plans)b::text[], %(statuses)b::text[], %(starts)b::timestamptz[],
              %(ends)b::timestamptz[], %(billings)b::timestamptz[], %(cancels)b::timestamptz[],
              %(orders)b::text[], %(versions)b::int[])
       AS saved (user_id, plan, status, started_at, ends_at, next_billing_at, cancelled_at, last_order_id, version)
 WHERE subscriptions.user_id = saved.user_id
"""
COLUMNS = "ids plans statuses starts ends billings cancels orders versions"

SAVE_ORDERS = """
INSERT INTO orders (order_id, user_id, approved_at, cancelled_at, next_billing_at, registers)
SELECT order_id, user_id, approved_at, cancelled_at, next_billing_at, registers::json
  FROM unnest(%(ids)b::text[], %(users)b::text[], %(approvals)b::timestamptz[], %(cancels)b::timestamptz[],
              %(billings)b::timestamptz[], %(registers)b::text[])
       AS saved (order_id, user_id, approved_at, cancelled_at, next_billing_at, registers)
ON CONFLICT (order_id) DO UPDATE SET
    approved_at = excluded.approved_at, cancelled_at = excluded.cancelled_at,
    next_billing_at = excluded.next_billing_at, registers = excluded.registers, updated_at = now()
"""
ORDER_COLUMNS = "ids users approvals cancels billings registers"

RECORD = """
INSERT INTO subscription_history (event_id, user_id, order_id, event_type, outcome, caused_by, occurred_at, received_at,
                                  payload)
SELECT event_id::uuid, user_id, order_id, event_type, outcome, caused_by, occurred_at, received_at, payload::json
  FROM unnest(%(events)b::text[], %(users)b::text[], %(orders)b::text[], %(event_types)b::text[], %(outcomes)b::text[],
              %(causes)b::text[], %(occurred)b::timestamptz[], %(received)b::timestamptz[], %(payloads)b::text[])
       AS saved (event_id, user_id, order_id, event_type, outcome, caused_by, occurred_at, received_at, payload)
"""
HISTORY_COLUMNS = "events users orders event_types outcomes causes occurred received payloads"

INSERT_ORDERS_WITHOUT_PLAN = """
INSERT INTO orders_without_plan (order_id) SELECT unnest(%(ids)b::text[]) ON CONFLICT DO NOTHING RETURNING order_id
"""


def lock(tx: Connection, user_ids: Sequence[str]) -> dict[str, Subscription]:
    """Lock these users until the transaction ends, and return their subscriptions. `user_ids` must be sorted."""
    if not user_ids:
        return {}
    ids = {"ids": list(user_ids)}
    tx.exec_driver_sql(INSERT_MISSING, ids)
    users = tx.exec_driver_sql(LOCK, ids).all()
    orders: dict[str, dict[str, PaidOrder]] = {user_id: {} for user_id in user_ids}
    for user_id, order_id, text in tx.exec_driver_sql(READ, ids):
        orders[user_id][order_id] = PaidOrder.load(text)
    return {user_id: Subscription(user_id, version, orders[user_id]) for user_id, version in users}


def save(tx: Connection, subscriptions: Iterable[Subscription], touched: Collection[str]) -> None:
    """Write the subscriptions, and their orders whose ids are in `touched`."""
    by_user = list(subscriptions)
    write(tx, SAVE, COLUMNS, [_row(subscription) for subscription in by_user])
    orders = [
        _order_row(subscription.user_id, order_id, order)
        for subscription in by_user
        for order_id, order in subscription.orders.items()
        if order_id in touched
    ]
    write(tx, SAVE_ORDERS, ORDER_COLUMNS, sorted(orders, key=lambda row: str(row[0])))


def record(tx: Connection, applied: Iterable[tuple[SubscriptionInput, Result]]) -> None:
    """Insert every applied event into the history, late ones included."""
    write(tx, RECORD, HISTORY_COLUMNS, [_history_row(event, result) for event, result in applied])


def insert_orders_without_plan(tx: Connection, order_ids: Sequence[str]) -> list[str]:
    """Insert orders that name no plan, and return the ids that are new. `order_ids` must be sorted."""
    return list(tx.exec_driver_sql(INSERT_ORDERS_WITHOUT_PLAN, {"ids": list(order_ids)}).scalars()) if order_ids else []


def _row(subscription: Subscription) -> tuple[object, ...]:
    return (
        subscription.user_id,
        subscription.plan,
        subscription.status,
        to_datetime(subscription.started_at),
        to_datetime(subscription.ends_at),
        to_datetime(subscription.next_billing_at),
        to_datetime(subscription.cancelled_at),
        subscription.last_order_id,
        subscription.version,
    )


def _order_row(user_id: str, order_id: str, order: PaidOrder) -> tuple[object, ...]:
    times = (order.registers.approved_at.value, order.cancelled_at, order.registers.next_billing_at.value)
    return (order_id, user_id, *map(to_datetime, times), order.dump())


def _history_row(event: SubscriptionInput, result: Result) -> tuple[object, ...]:
    return (
        event.event_id,
        result.key,
        event.order_id,
        type(event).__name__,
        result.outcome,
        event.caused_by,
        to_datetime(event.occurred_at),
        to_datetime(event.received_at),
        msgspec.json.encode(event).decode(),
    )
