"""Claims about stores: rows follow from records, domain events were published, amounts add up. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from auditor.evidence import Claim, Evidence, Row, Store
from auditor.model import Expected, models
from auditor.record_claims import Trace
from stream.events import CreditAdded, DomainEvent, Record

WITHOUT_MODEL = ("confirmer", "notifier", "console")
"""Services without a model: CONFIRMED and MESSAGES check their rows, and the console's rows are only shown."""
HANDLED = ("processed", "late", "waiting")
NO_VALUE = "of no currency"
PAID = ("completed", "partially_cancelled", "cancelled")
"""The statuses of a payment that paid something."""


def expected(trace: Trace, service: str) -> Expected:
    """Return the rows and events that follow from the first record of each event that the service has handled."""
    store = trace.evidence.stores[service]
    positions = sorted(position for name, (position, outcome) in store.handled.items() if _counts(store, name, outcome))
    entries = (trace.by_position[position] for position in positions if position in trace.by_position)
    events: list[Record] = [entry.delivery.event for entry in entries if isinstance(entry.delivery.event, Record)]
    return models(trace.evidence.orders)[service](events)


def state(trace: Trace) -> Claim:
    """Every row is the result of the service's own rules applied once to each of its events."""
    checked, wrong = 0, list[str]()
    for service in _modelled(trace.evidence):
        must, store = expected(trace, service), trace.evidence.stores[service]
        for table, rows in must.tables.items():
            checked += len(rows)
            wrong += [f"{service}.{table} {line}" for line in _differences(rows, store.tables[table])]
        checked += len(must.history)
        lines = Counter(store.tables["history"].keys())
        wrong += [f"{service}: {event_id} is missing in the history" for event_id in must.history - lines.keys()]
        wrong += [f"{service}: {event_id} is in the history without cause" for event_id in lines.keys() - must.history]
    unmodelled = sorted(trace.evidence.stores.keys() - {*_modelled(trace.evidence), *WITHOUT_MODEL})
    noted = [f"{service}: the auditor has no model of its rows; they were not checked" for service in unmodelled]
    return Claim("STATE", checked, tuple(wrong), noted=tuple(noted))


def published(trace: Trace) -> Claim:
    """Every domain event that follows from the stores was published, and every published one has a cause."""
    entries = trace.evidence.entries
    events = {
        entry.event_id: entry.delivery.event for entry in entries if isinstance(entry.delivery.event, DomainEvent)
    }
    known = {entry.event_id for entry in entries} | set(events)
    checked, wrong, unfinished = len(events), list[str](), list[str]()
    for service in _modelled(trace.evidence):
        missing = expected(trace, service).events - events.keys()
        unpublished = [f"{service}: domain event {event_id} was not published" for event_id in missing]
        (unfinished if trace.evidence.stores[service].outbox else wrong).extend(unpublished)
    wrong += [
        f"{type(event).__name__} {event_id} was caused by {event.caused_by}, which is on no topic"
        for event_id, event in events.items()
        if isinstance(event, DomainEvent) and event.caused_by not in known
    ]
    return Claim("EVENTS", checked, tuple(wrong), tuple(unfinished))


def money(trace: Trace) -> Claim:
    """The sums of amounts agree between records, stores, the ledger of credits, and what senders sent."""
    evidence, wrong, checked = trace.evidence, list[str](), 0
    stores = evidence.stores
    if {"payment", "refund", "invoice"} <= stores.keys():
        must = {service: expected(trace, service).tables for service in ("payment", "refund", "invoice")}
        held = {service: stores[service].tables for service in must}
        for name, service, table, fields in SUMS:
            wanted, stored = _sums(must[service][table], *fields), _sums(held[service][table], *fields)
            checked += len(wanted)
            wrong += [
                f"{name}: records make {wanted[unit]}, the store holds {stored[unit]} {unit}"
                for unit in wanted.keys() | stored.keys()
                if wanted[unit] != stored[unit]
            ]
        wrong += _credits(evidence, stores["invoice"])
        wrong += _paid(evidence, stores["payment"])
        checked += sum(webhook.paid is not None for webhook in evidence.accepted or ())
    return Claim("MONEY", checked, tuple(wrong))


def agreement(trace: Trace) -> Claim:
    """Per order, refunds that the payment reports are within its refunded amount, and all are within what was paid.

    A refunded amount that only the payment reports has no row of its own in the refund store.
    """
    evidence, wrong, unfinished, checked = trace.evidence, list[str](), list[str](), 0
    stores = evidence.stores
    if {"payment", "refund"} <= stores.keys():
        payments = stores["payment"].tables["payments"]
        paid, refunded, reported = Counter[str](), Counter[str](), Counter[str]()
        for key, row in stores["payment"].tables["transactions"].items():
            paid[key.partition(" ")[0]] += row["amount"] or 0
        for key, row in stores["refund"].tables["refunds"].items():
            if row["status"] == "completed" and row["mismatch"] is None:
                order_id = key.partition(" ")[0]
                refunded[order_id] += row["amount"] or 0
                reported[order_id] += (row["amount"] or 0) * ("reported_by_payment" in row["registers"])
        for order_id in sorted(refunded.keys() & payments.keys()):
            checked += 1
            payment = payments[order_id]
            most = max(paid[order_id], payment["amount"] or 0)
            lines = []
            if reported[order_id] > payment["refunded_amount"]:
                lines.append(f"refunds sum up to {reported[order_id]}, the payment's to {payment['refunded_amount']}")
            if most and refunded[order_id] > most:
                lines.append(f"{refunded[order_id]} was refunded of {most}")
            is_unfinished = stores["payment"].outbox or stores["refund"].outbox
            (unfinished if is_unfinished else wrong).extend(f"order {order_id}: {line}" for line in lines)
    return Claim("AGREEMENT", checked, tuple(wrong), tuple(unfinished))


def order_view(trace: Trace) -> Claim:
    """Every order shows what the stores of its payment, its parcels and its refunds hold."""
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


SUMS = (
    ("paid", "payment", "payments", ("amount", "currency", "status")),
    ("refunded of payments", "payment", "payments", ("refunded_amount", "currency", "status")),
    ("refunds", "refund", "refunds", ("amount", "currency", "status")),
    ("credits", "invoice", "credits", ("amount", "currency", "customer_id")),
)
"""The sums that MONEY compares: label, service, table, and fields (the summed field, then those to group by)."""

CLAIMS = (state, published, money, agreement, order_view)


def _counts(store: Store, event_id: str, outcome: str) -> bool:
    """Return whether an event is part of the state. One dead after waiting too long is; one that failed is not."""
    return outcome in HANDLED or (outcome == "dead" and event_id not in store.failed)


def _modelled(evidence: Evidence) -> list[str]:
    return [service for service in models(evidence.orders) if service in evidence.stores]


def _differences(must: Mapping[str, Row], held: Mapping[str, Row]) -> Iterable[str]:
    yield from (f"{key} is missing" for key in must.keys() - held.keys())
    yield from (f"{key} exists without cause" for key in held.keys() - must.keys())
    for key in must.keys() & held.keys():
        for field, value in must[key].items():
            if held[key][field] != value:
                yield f"{key}: {field} is {_short(held[key][field])}, must be {_short(value)}"


def _sums(rows: Mapping[str, Row], amount: str, *by: str) -> Counter[tuple[str, ...]]:
    sums: Counter[tuple[str, ...]] = Counter()
    for row in rows.values():
        sums[tuple(str(row[name] or NO_VALUE) for name in by)] += row[amount] or 0
    return sums


def _credits(evidence: Evidence, store: Store) -> Iterable[str]:
    """Compare the ledger with the published CreditAdded events, entry by entry."""
    events = (entry.delivery.event for entry in evidence.entries)
    added = {event.entry_id: (event.amount, event.currency) for event in events if isinstance(event, CreditAdded)}
    stored = {row["entry_id"]: (row["amount"], row["currency"]) for row in store.tables["credits"].values()}
    if not store.outbox and added != stored:
        sums = [sum(amount for amount, _ in ledger.values()) for ledger in (added, stored)]
        yield f"credits: {sums[0]} published, {sums[1]} in the ledger"


def _paid(evidence: Evidence, store: Store) -> Iterable[str]:
    """Compare the amounts that senders sent with the rows of the same orders."""
    webhooks = [webhook for webhook in evidence.accepted or () if webhook.order_id and webhook.paid is not None]
    sent = {webhook.order_id or "": webhook.paid for webhook in webhooks}
    rows = store.tables["payments"]
    stored = {order_id: rows[order_id]["amount"] for order_id in sent if order_id in rows}
    sums = [sum(filter(None, amounts.values())) for amounts in (sent, stored)]
    if sums[0] != sums[1]:
        yield f"paid: senders sent {sums[0]}, the stores hold {sums[1]}"


def _short(value: object) -> str:
    return str(value)[:200]
