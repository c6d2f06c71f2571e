"""All SQL of the refund processor. Each batch runs one statement per purpose, with an array per column."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection

from processors.refund import row_mapping
from processors.refund.domain import Refund, Refunds
from processors.refund.row_mapping import RefundKey, refunds_of
from processors.refund.tables import orders, refund_history, refunds
from stream.events import OrderId, RefundWebhook
from stream.state.fold import Result
from stream.store import statements
from stream.store.statements import BulkStatement

LOCK = statements.row_lock(orders, "version", "paid", "released")
READ = statements.select(refunds, "order_id", "refund_id", "registers")
SAVE_ORDERS = statements.update(orders)
SAVE_REFUNDS = statements.upsert(refunds, unless_null=["metadata"])
RECORD = statements.insert(refund_history)
BACKFILL = statements.update(refund_history, "order_id", "outcome")
# Only once its payment is known does a refund turn out to be a release; until then it has a row.
DELETE_RELEASED = BulkStatement(
    """
DELETE FROM refunds USING unnest(%(order_id)b::text[], %(refund_id)b::text[]) AS released (order_id, refund_id)
 WHERE refunds.order_id = released.order_id AND refunds.refund_id = released.refund_id
""",
    ("order_id", "refund_id"),
)


def lock(tx: Connection, order_ids: Collection[OrderId]) -> dict[OrderId, Refunds]:
    """Insert missing orders, lock all until the transaction ends, and return their refunds by order id."""
    locked = LOCK.rows(tx, order_ids)
    if not locked:
        return {}
    known: dict[OrderId, dict[str, Refund]] = {order_id: {} for order_id in order_ids}
    for order_id, refund_id, stored in statements.execute(tx, READ, {"keys": list(order_ids)}):
        known[order_id][refund_id] = Refund.load(stored)
    return {
        order_id: refunds_of(order_id, version, known[order_id], paid, released)
        for order_id, version, paid, released in locked
    }


def save(tx: Connection, changed: Sequence[Refunds], last_webhooks: Mapping[RefundKey, RefundWebhook]) -> None:
    """Update the orders, which must be locked, and insert or update their refunds.

    `last_webhooks` holds the last webhook of each refund in the batch; without one, `metadata` stays as it is. A refund
    that is a release of an amount not captured must have no row, so its row is deleted; its state is stored with its
    order.
    """
    SAVE_ORDERS.execute_columns(tx, row_mapping.order_columns(changed))
    DELETE_RELEASED.execute(
        tx,
        [{"order_id": order.order_id, "refund_id": refund_id} for order in changed for refund_id in order.releases],
    )
    SAVE_REFUNDS.execute_columns(tx, row_mapping.refund_columns(changed, last_webhooks))


def record(tx: Connection, applied: Sequence[tuple[RefundWebhook, Result]]) -> None:
    """Insert every applied webhook into the history with its bytes, late ones included."""
    RECORD.execute_columns(tx, row_mapping.history_columns(applied))


def backfill(tx: Connection, released: Iterable[tuple[str, str]]) -> None:
    """Set order and outcome `processed` of released webhooks in the history; `released` holds (event id, order id)."""
    BACKFILL.execute(tx, [{"event_id": event, "order_id": order, "outcome": "processed"} for event, order in released])
