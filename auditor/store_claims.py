"""Claims about stores: rows follow from records, domain events were published, the order view agrees. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from auditor.evidence import Claim, Row, Store
from auditor.expectation import expected, modelled
from auditor.record_claims import Trace
from processors.payment.domain.statuses import PAID
from stream.events import DomainEvent

WITHOUT_MODEL = ("confirmer", "notifier", "console")
"""Services without a model: CONFIRMED and MESSAGES check their rows, and the console's rows are only shown."""


def state(trace: Trace) -> Claim:
    """Check that the rows and the history of each service are those that its model expects, no fewer and no more.

    Services that should have a model and have none are noted.
    """
    checked, wrong = 0, list[str]()
    for service in modelled(trace.evidence):
        must, store = expected(trace, service), trace.evidence.stores[service]
        for table, rows in must.tables.items():
            checked += len(rows)
            wrong += [f"{service}.{table} {line}" for line in _differences(rows, store.tables[table])]
        checked += len(must.history)
        lines = Counter(store.tables["history"].keys())
        wrong += [f"{service}: {event_id} is missing in the history" for event_id in must.history - lines.keys()]
        wrong += [f"{service}: {event_id} is in the history without cause" for event_id in lines.keys() - must.history]
    unmodelled = sorted(trace.evidence.stores.keys() - {*modelled(trace.evidence), *WITHOUT_MODEL})
    noted = [f"{service}: the auditor has no model of its rows; they were not checked" for service in unmodelled]
    return Claim("STATE", checked, tuple(wrong), noted=tuple(noted))


def published(trace: Trace) -> Claim:
    """Check that every expected domain event was published, and that the cause of each published one is on a topic.

    A missing one is unfinished while the service's outbox has unpublished messages.
    """
    entries = trace.evidence.entries
    events = {
        entry.event_id: entry.delivery.event for entry in entries if isinstance(entry.delivery.event, DomainEvent)
    }
    known = {entry.event_id for entry in entries} | set(events)
    checked, wrong, unfinished = len(events), list[str](), list[str]()
    for service in modelled(trace.evidence):
        missing = expected(trace, service).events - events.keys()
        unpublished = [f"{service}: domain event {event_id} was not published" for event_id in missing]
        (unfinished if trace.evidence.stores[service].outbox else wrong).extend(unpublished)
    wrong += [
        f"{type(event).__name__} {event_id} was caused by {event.caused_by}, which is on no topic"
        for event_id, event in events.items()
        if isinstance(event, DomainEvent) and event.caused_by not in known
    ]
    return Claim("EVENTS", checked, tuple(wrong), tuple(unfinished))


def order_view(trace: Trace) -> Claim:
    """Check that the order view shows what the stores of payments, parcels and refunds hold.

    Differences are unfinished while the order processor has records to handle, or one of the three outboxes messages to
    publish. Checks nothing unless all four stores are part of the evidence.
    """
    stores = trace.evidence.stores
    if not {"payment", "shipping", "refund", "order"} <= stores.keys():
        return Claim("ORDERVIEW", 0)
    orders, wanted = stores["order"].tables["orders"], _wanted_columns(stores)
    lines = tuple(
        f"order {order_id}: {column} is {shown}, must be {' or '.join(sorted(map(str, values)))}"
        for (order_id, column), values in wanted.items()
        if (shown := orders.get(order_id, {}).get(column)) not in values
    )
    is_unfinished = any(stores[name].outbox for name in ("payment", "shipping", "refund")) or _is_behind(trace, "order")
    return Claim("ORDERVIEW", len(wanted), () if is_unfinished else lines, lines if is_unfinished else ())


def _wanted_columns(stores: Mapping[str, Store]) -> dict[tuple[str, str], set[object]]:
    """Return the values that a column of an order may show, by order and column; of several parcels any is right."""
    wanted: dict[tuple[str, str], set[object]] = defaultdict(set)
    for order_id, row in stores["payment"].tables["payments"].items():
        if row["status"] is not None:
            wanted[order_id, "payment_status"].add(row["status"])
            wanted[order_id, "paid_amount"].add(row["amount"] if row["status"] in PAID else None)
    for row in stores["shipping"].tables["shipments"].values():
        if row["order_id"] is not None and row["status"] is not None:
            wanted[row["order_id"], "shipping_status"].add(row["status"])
    for order_id, row in stores["refund"].tables["orders"].items():
        if row["refund_status"] is not None:
            wanted[order_id, "refund_status"].add(row["refund_status"])
    return wanted


def _is_behind(trace: Trace, service: str) -> bool:
    """Return whether the service has yet to handle a record that it reads."""
    handled = trace.evidence.stores[service].handled
    return any(entry.event_id not in handled for entry in trace.read_by(service))


def _differences(must: Mapping[str, Row], held: Mapping[str, Row]) -> Iterable[str]:
    yield from (f"{key} is missing" for key in must.keys() - held.keys())
    yield from (f"{key} exists without cause" for key in held.keys() - must.keys())
    for key in must.keys() & held.keys():
        for field, value in must[key].items():
            if held[key][field] != value:
                yield f"{key}: {field} is {_short(held[key][field])}, must be {_short(value)}"


def _short(value: object) -> str:
    return str(value)[:200]


CLAIMS = (state, published, order_view)
