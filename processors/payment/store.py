"""All SQL of the payment processor. Each batch runs one statement per purpose, with an array per column."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection

from processors.payment import row_mapping
from processors.payment.domain import Payment
from processors.payment.domain.payment_registers import TransactionRegisters
from processors.payment.row_mapping import payment_of, with_order
from processors.payment.tables import DISPUTE_COLUMNS, orders, payment_history, payments, transactions
from stream.events import DisputeWebhook, OrderId, PaymentWebhook
from stream.state import registers
from stream.state.fold import Result
from stream.store import statements

LOCK = statements.row_lock(orders, "registers", "entries")
# These two run after LOCK and are never joined to it: a row that waited for its lock would come with the joined rows as
# they were before the wait.
PAYMENTS = statements.select(payments, "order_id", "version", "registers", "cancels", "entries", "claims", "disputes")
TRANSACTIONS = statements.select(transactions, "order_id", "transaction_id", "registers")
SAVE_ORDERS = statements.update(orders)
SAVE_PAYMENTS = statements.upsert(payments, without=DISPUTE_COLUMNS, unless_null=["metadata"])
SAVE_DISPUTES = statements.update(payments, *DISPUTE_COLUMNS)
SAVE_TRANSACTIONS = statements.upsert(transactions)
RECORD = statements.insert(payment_history)
BACKFILL = statements.update(payment_history, "order_id", "outcome")


def lock(tx: Connection, order_ids: Collection[OrderId]) -> dict[OrderId, Payment]:
    """Insert missing orders, lock all until the transaction ends, and return their payments by order id.

    An order without a payment has one of version 0.
    """
    locked = LOCK.rows(tx, order_ids)
    if not locked:
        return {}
    keys = {"keys": list(order_ids)}
    known = {row[0]: payment_of(*row) for row in statements.execute(tx, PAYMENTS, keys)}
    parts: dict[OrderId, dict[str, TransactionRegisters]] = {order_id: {} for order_id in order_ids}
    for order_id, transaction_id, stored in statements.execute(tx, TRANSACTIONS, keys):
        parts[order_id][transaction_id] = registers.load(TransactionRegisters, stored)
    return {
        order_id: with_order(known.get(order_id) or Payment(order_id), parts[order_id], order, entries)
        for order_id, order, entries in locked
    }


def save(
    tx: Connection,
    payments_: Iterable[Payment],
    changed_orders: Sequence[Payment],
    last_webhooks: Mapping[str, PaymentWebhook],
) -> None:
    """Update the rows of `orders` in `changed_orders`; insert or update the payments, their transactions and disputes.

    The orders must be locked. Orders without a payment have no row in `payments`. `last_webhooks` holds the last
    webhook of each order in the batch, by order id; without one, `metadata` stays as it is.
    """
    known = [payment for payment in payments_ if payment.version]
    disputed = [payment for payment in known if payment.disputes]
    SAVE_ORDERS.execute_columns(tx, row_mapping.order_columns(changed_orders))
    SAVE_PAYMENTS.execute_columns(tx, row_mapping.payment_columns(known, last_webhooks))
    SAVE_TRANSACTIONS.execute_columns(tx, row_mapping.transaction_columns(known))
    SAVE_DISPUTES.execute_columns(tx, row_mapping.dispute_columns(disputed))  # after the rows are inserted


def record(tx: Connection, applied: Sequence[tuple[PaymentWebhook | DisputeWebhook, Result]]) -> None:
    """Insert every applied webhook into the history with its bytes, late ones included."""
    RECORD.execute_columns(tx, row_mapping.history_columns(applied))


def backfill(tx: Connection, released: Sequence[tuple[str, str]]) -> None:
    """Set order and outcome `processed` of released webhooks in the history; `released` holds (event id, order id)."""
    BACKFILL.execute(tx, [{"event_id": event, "order_id": order, "outcome": "processed"} for event, order in released])
