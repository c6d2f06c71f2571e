"""All SQL of the order processor. Each batch runs one statement per purpose, with an array per column."""

from collections.abc import Collection, Iterable, Sequence

import msgspec
from sqlalchemy import Connection

from processors.order.domain import Columns, Inputs, Order, columns_of
from processors.order.tables import orders
from stream.events import OrderId
from stream.store import statements

LOCK = statements.row_lock(orders, "version", "inputs")
SAVE = statements.update(orders)

_inputs = msgspec.json.Decoder(Inputs)


def lock(tx: Connection, order_ids: Collection[OrderId]) -> dict[OrderId, Order]:
    """Insert missing orders, lock all until the transaction ends, and return them by id."""
    rows = LOCK.rows(tx, order_ids)
    return {order_id: Order(order_id, version, _inputs.decode(inputs)) for order_id, version, inputs in rows}


def save(tx: Connection, changed: Iterable[Order]) -> None:
    """Update the rows of the orders, which must be locked."""
    SAVE.execute_columns(tx, _columns(list(changed)))


def _columns(changed: Sequence[Order]) -> statements.ColumnValues:
    shown = [columns_of(order) for order in changed]
    return {
        "order_id": [order.order_id for order in changed],
        "payment_status": [order.payment_status for order in shown],
        "payment_method": [order.payment_method for order in shown],
        "transaction_id": [order.transaction_id for order in shown],
        "paid_amount": [order.paid_amount for order in shown],
        "paid_at": [order.paid_at for order in shown],
        "shipping_status": [order.shipping_status for order in shown],
        "tracking_number": [order.tracking_number for order in shown],
        "carrier": [order.carrier for order in shown],
        "last_location": [order.last_location for order in shown],
        "shipping_updated_at": [order.shipping_updated_at for order in shown],
        "refund_status": [order.refund_status for order in shown],
        "refunded_amount": [order.refunded_amount for order in shown],
        "currency": [order.currency for order in shown],
        "customer_id": [order.customer_id for order in shown],
        "ordered_amount": [order.ordered_amount for order in shown],
        "ordered_currency": [order.ordered_currency for order in shown],
        "subscription_plan": [order.subscription_plan for order in shown],
        "subscription_status": [order.subscription_status for order in shown],
        "set_by": [_set_by(order) for order in shown],
        "version": [order.version for order in changed],
        "inputs": [msgspec.json.encode(order.inputs).decode() for order in changed],
    }


def _set_by(columns: Columns) -> str:
    """Return the webhook that set each column, and the domain event that it caused, as JSON."""
    set_by = {
        name: {"webhook": webhook, "event": columns.set_by_events.get(name)} for name, webhook in columns.set_by.items()
    }
    return msgspec.json.encode(set_by).decode()
