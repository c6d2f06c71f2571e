"""All SQL of the order processor. Each batch runs one statement per purpose, with an array per column."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection

from processors.order.domain import Columns, Inputs, Order, columns_of
from runtime.clock import to_datetime
from stream.store.bulk_sql import write

INSERT_MISSING = "INSERT INTO orders (order_id) SELECT unnest(%(ids)b::text[]) ON CONFLICT DO NOTHING"

LOCK = """
SELECT order_id, version, inputs::text FROM orders WHERE order_id = ANY (%(ids)b::text[]) ORDER BY order_id FOR UPDATE
"""

SAVE = """
UPDATE orders SET
    payment_status = saved.payment_status, payment_method = saved.payment_method,
    transaction_id = saved.transaction_id, paid_amount = saved.paid_amount, paid_at = saved.paid_at,
    shipping_status = saved.shipping_status, tracking_number = saved.tracking_number, carrier = saved.carrier,
    last_location = saved.last_location, shipping_updated_at = saved.shipping_updated_at,
    refund_status = saved.refund_status, refunded_amount = saved.refunded_amount, currency = saved.currency,
    customer_id = saved.customer_id, ordered_amount = saved.ordered_amount, ordered_currency = saved.ordered_currency,
    subscription_plan = saved.subscription_plan, subscription_status = saved.subscription_status,
    set_by = saved.set_by::json, version = saved.version, inputs = saved.inputs::json, updated_at = now()
  FROM unnest(%(ids)b::text[], %(payment_statuses)b::text[], %(methods)b::text[], %(transactions)b::text[],
              %(paid)b::bigint[], %(paid_times)b::timestamptz[], %(shipping_statuses)b::text[], %(numbers)b::text[],
              %(carriers)b::text[], %(locations)b::text[], %(scans)b::timestamptz[], %(refund_statuses)b::text[],
              %(refunded)b::bigint[], %(currencies)b::text[], %(customers)b::text[], %(ordered)b::bigint[],
              %(ordered_currencies)b::text[], %(plans)b::text[], %(plan_statuses)b::text[], %(set_by)b::text[],
              %(versions)b::int[], %(inputs)b::text[])
       AS saved (order_id, payment_status, payment_method, transaction_id, paid_amount, paid_at, shipping_status,
                 tracking_number, carrier, last_location, shipping_updated_at, refund_status, refunded_amount, currency,
                 customer_id, ordered_amount, ordered_currency, subscription_plan, subscription_status, set_by, version,
                 inputs)
 WHERE orders.order_id = saved.order_id
"""
PARAMETERS = (
    "ids payment_statuses methods transactions paid paid_times shipping_statuses numbers carriers locations scans "
    "refund_statuses refunded currencies customers ordered ordered_currencies plans plan_statuses set_by versions "
    "inputs"
)

_inputs = msgspec.json.Decoder(Inputs)


def lock(tx: Connection, order_ids: Sequence[str]) -> dict[str, Order]:
    """Lock these orders until the transaction ends, and return them. `order_ids` must be sorted."""
    if not order_ids:
        return {}
    ids = {"ids": list(order_ids)}
    tx.exec_driver_sql(INSERT_MISSING, ids)
    rows = tx.exec_driver_sql(LOCK, ids)
    return {order_id: Order(order_id, version, _inputs.decode(inputs)) for order_id, version, inputs in rows}


def save(tx: Connection, orders: Iterable[Order]) -> None:
    """Write the orders."""
    write(tx, SAVE, PARAMETERS, [_row(order, columns_of(order)) for order in orders])


def _row(order: Order, columns: Columns) -> tuple[object, ...]:
    set_by = {
        name: {"webhook": webhook, "event": columns.set_by_events.get(name)} for name, webhook in columns.set_by.items()
    }
    return (
        order.order_id,
        columns.payment_status,
        columns.payment_method,
        columns.transaction_id,
        columns.paid_amount,
        to_datetime(columns.paid_at),
        columns.shipping_status,
        columns.tracking_number,
        columns.carrier,
        columns.last_location,
        to_datetime(columns.shipping_updated_at),
        columns.refund_status,
        columns.refunded_amount,
        columns.currency,
        columns.customer_id,
        columns.ordered_amount,
        columns.ordered_currency,
        columns.subscription_plan,
        columns.subscription_status,
        msgspec.json.encode(set_by).decode(),
        order.version,
        msgspec.json.encode(order.inputs).decode(),
    )
