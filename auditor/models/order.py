"""The model of the order processor. Pure."""

from collections.abc import Iterable

import msgspec

from auditor.evidence import Row
from auditor.models.expected import ExpectedStore, KeyedDefaults
from processors.order import domain as orders
from stream.events import DomainEvent, OrderId, OrderWebhook, Record


def order(events: Iterable[Record]) -> ExpectedStore:
    """Return the expected rows of the order processor, without history and domain events.

    Records that belong to no order are skipped.
    """
    known: KeyedDefaults[OrderId, orders.Order] = KeyedDefaults(orders.Order)
    for event in events:
        if isinstance(event, OrderWebhook | DomainEvent) and (order_id := orders.order_of(event)):
            known[order_id], _, _ = orders.apply(known[order_id], event)
    rows: dict[str, Row] = {
        order_id: _columns(orders.columns_of(state), state.version) for order_id, state in known.items()
    }
    return ExpectedStore({"orders": rows})


def _columns(columns: orders.Columns, version: int) -> Row:
    """Return an order's row as its store returns it, with times in microseconds."""
    events = columns.set_by_events
    set_by = {name: {"webhook": webhook, "event": events.get(name)} for name, webhook in columns.set_by.items()}
    row = msgspec.structs.asdict(columns) | {"set_by": set_by, "version": version}
    return {name: value for name, value in row.items() if name != "set_by_events"}
