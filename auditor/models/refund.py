"""The model of the refund processor. Pure."""

import json
from collections.abc import Iterable

from auditor.models.expected import ExpectedStore, KeyedDefaults, Tables, event_ids
from processors.refund import domain as refunds
from stream.events import DomainEvent, Record, RefundWebhook
from stream.state.aliases import Alias


def refund(events: Iterable[Record]) -> ExpectedStore:
    """Return the expected rows and domain events of the refund processor; records of other kinds are skipped."""
    working_set = refunds.RefundWorkingSet({}, KeyedDefaults(lambda _: Alias()))
    history = set()
    for event in events:
        if not isinstance(event, RefundWebhook | DomainEvent):
            continue
        if order_id := refunds.touched_order(event, working_set.aliases):
            working_set.refunds.setdefault(order_id, refunds.Refunds(order_id))
        working_set.apply(event)
        if isinstance(event, RefundWebhook):
            history.add(event.envelope.event_id)
    orders = {order_id: order for order_id, order in working_set.refunds.items() if order.version}
    tables: Tables = {
        "orders": {
            order_id: {
                "refund_status": order.status,
                "refunded_amount": order.refunded_amount,
                "version": order.version,
            }
            for order_id, order in orders.items()
        },
        "refunds": {
            f"{order_id} {name}": {
                "status": refund_.status,
                "amount": refund_.registers.amount.value,
                "currency": refund_.registers.currency.value,
                "registers": json.loads(refund_.dump()),
                "mismatch": order.mismatches.get(name),
            }
            for order_id, order in orders.items()
            for name, refund_ in order.counted.items()
        },
    }
    keys = [key for order in working_set.refunds.values() for key in refunds.event_keys(order)]
    return ExpectedStore(tables, frozenset(history), event_ids(keys))
