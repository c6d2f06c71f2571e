"""Whether the stores hold what follows from the records, whether it was announced, whether the money adds up. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from auditor.evidence import Claim, Evidence, Row, Store
from auditor.model import MODELS, Expected
from auditor.tracing import Trace
from stream.events import CreditAdded, DomainEvent, Record

WITHOUT_MODEL = ("confirmer", "notifier", "console")
"""Services whose rows other claims check: CONFIRMED, MESSAGES; the console only shows what others say."""
HANDLED = ("processed", "late", "waiting")
UNTOLD = "of no currency"


def expected(trace: Trace, service: str) -> Expected:
    """What the service must hold by what it has handled, each event as its first record tells it."""
    store = trace.evidence.stores[service]
    places = sorted(place for name, (place, outcome) in store.handled.items() if _counts(store, name, outcome))
    entries = (trace.by_place[place] for place in places if place in trace.by_place)
    events: list[Record] = [entry.delivery.event for entry in entries if isinstance(entry.delivery.event, Record)]
    return MODELS[service](events)


def state(trace: Trace) -> Claim:
    """Each row is what the service's own rules make of all its events, applied once each."""
    checked, wrong = 0, list[str]()
    for service in _kept(trace.evidence):
        must, store = expected(trace, service), trace.evidence.stores[service]
        for table, rows in must.tables.items():
            checked += len(rows)
            wrong += [f"{service}.{table} {line}" for line in _differences(rows, store.tables[table])]
        checked += len(must.history)
        lines = Counter(store.tables["history"].keys())
        wrong += [f"{service}: {one} is missing in the history" for one in must.history - lines.keys()]
        wrong += [f"{service}: {one} is in the history for nothing" for one in lines.keys() - must.history]
    unmodelled = sorted(trace.evidence.stores.keys() - MODELS.keys() - set(WITHOUT_MODEL))
    noted = [f"{service}: the auditor has no model of its rows; they were not checked" for service in unmodelled]
    return Claim("STATE", checked, tuple(wrong), noted=tuple(noted))


def announced(trace: Trace) -> Claim:
    """What is true by the stores was announced; and each fact that was announced follows from an event."""
    entries = trace.evidence.entries
    facts = {entry.event_id: entry.delivery.event for entry in entries if isinstance(entry.delivery.event, DomainEvent)}
    known = {entry.event_id for entry in entries} | set(facts)
    checked, wrong, unfinished = len(facts), list[str](), list[str]()
    for service in _kept(trace.evidence):
        missing = expected(trace, service).facts - facts.keys()
        untold = [f"{service}: {fact} is true and was not announced" for fact in missing]
        (unfinished if trace.evidence.stores[service].outbox else wrong).extend(untold)
    wrong += [
        f"{type(fact).__name__} {name} follows from {fact.caused_by}, which nobody told"
        for name, fact in facts.items()
        if isinstance(fact, DomainEvent) and fact.caused_by not in known
    ]
    return Claim("FACTS", checked, tuple(wrong), tuple(unfinished))


def money(trace: Trace) -> Claim:
    """The sums of what records tell, of what the stores hold and of what senders know they sent are the same."""
    evidence, wrong, checked = trace.evidence, list[str](), 0
    stores = evidence.stores
    if {"payment", "refund", "invoice"} <= stores.keys():
        must = {service: expected(trace, service).tables for service in ("payment", "refund", "invoice")}
        held = {service: stores[service].tables for service in must}
        for name, service, table, fields in SUMS:
            told, kept = _sums(must[service][table], *fields), _sums(held[service][table], *fields)
            checked += len(told)
            wrong += [
                f"{name}: told {told[unit]}, kept {kept[unit]} {unit}"
                for unit in told.keys() | kept.keys()
                if told[unit] != kept[unit]
            ]
        wrong += _credits(evidence, stores["invoice"])
        wrong += _paid(evidence, stores["payment"])
        checked += sum(one.paid is not None for one in evidence.accepted or ())
    return Claim("MONEY", checked, tuple(wrong))


def agreement(trace: Trace) -> Claim:
    """Per order, what the refund store says was given back is what the payment store says, and not more than was paid.

    Refunds that the payment does not tell of are only held against what was paid; what only the payment tells of has
    no refund.
    """
    evidence, wrong, unfinished, checked = trace.evidence, list[str](), list[str](), 0
    stores = evidence.stores
    if {"payment", "refund"} <= stores.keys():
        payments = stores["payment"].tables["payments"]
        paid, given_back, told_by_payment = Counter[str](), Counter[str](), Counter[str]()
        for key, row in stores["payment"].tables["transactions"].items():
            paid[key.partition(" ")[0]] += row["amount"] or 0
        for key, row in stores["refund"].tables["refunds"].items():
            if row["status"] == "completed" and row["mismatch"] is None:
                order_id = key.partition(" ")[0]
                given_back[order_id] += row["amount"] or 0
                told_by_payment[order_id] += (row["amount"] or 0) * ("told_by_payment" in row["told"])
        for order_id in sorted(given_back.keys() & payments.keys()):
            checked += 1
            payment = payments[order_id]
            most = max(paid[order_id], payment["amount"] or 0)
            lines = []
            if told_by_payment[order_id] > payment["refunded_amount"]:
                lines.append(f"refunds say {told_by_payment[order_id]}, the payment {payment['refunded_amount']}")
            if most and given_back[order_id] > most:
                lines.append(f"{given_back[order_id]} was given back of {most}")
            is_under_way = stores["payment"].outbox or stores["refund"].outbox
            (unfinished if is_under_way else wrong).extend(f"order {order_id}: {line}" for line in lines)
    return Claim("AGREEMENT", checked, tuple(wrong), tuple(unfinished))


SUMS = (
    ("paid", "payment", "payments", ("amount", "currency", "status")),
    ("given back of payments", "payment", "payments", ("refunded_amount", "currency", "status")),
    ("refunds", "refund", "refunds", ("amount", "currency", "status")),
    ("credits", "invoice", "credits", ("amount", "currency", "customer_id")),
)
"""What is summed: of which table, which field, by which others."""

CLAIMS = (state, announced, money, agreement)


def _counts(store: Store, event_id: str, outcome: str) -> bool:
    """Whether an event is part of the state: one that waited too long still is, one that failed is not."""
    return outcome in HANDLED or (outcome == "abandoned" and event_id not in store.parked)


def _kept(evidence: Evidence) -> list[str]:
    return [service for service in MODELS if service in evidence.stores]


def _differences(must: Mapping[str, Row], held: Mapping[str, Row]) -> Iterable[str]:
    yield from (f"{key} is missing" for key in must.keys() - held.keys())
    yield from (f"{key} is there for nothing" for key in held.keys() - must.keys())
    for key in must.keys() & held.keys():
        for field, value in must[key].items():
            if held[key][field] != value:
                yield f"{key}: {field} is {_short(held[key][field])}, must be {_short(value)}"


def _sums(rows: Mapping[str, Row], amount: str, *by: str) -> Counter[tuple[str, ...]]:
    sums: Counter[tuple[str, ...]] = Counter()
    for row in rows.values():
        sums[tuple(str(row[name] or UNTOLD) for name in by)] += row[amount] or 0
    return sums


def _credits(evidence: Evidence, store: Store) -> Iterable[str]:
    """The ledger is what was announced of it, entry for entry."""
    entries = (entry.delivery.event for entry in evidence.entries)
    told = {fact.entry_id: (fact.amount, fact.currency) for fact in entries if isinstance(fact, CreditAdded)}
    kept = {row["entry_id"]: (row["amount"], row["currency"]) for row in store.tables["credits"].values()}
    if not store.outbox and told != kept:
        yield f"credits: {sum(n for n, _ in told.values())} announced, {sum(n for n, _ in kept.values())} entered"


def _paid(evidence: Evidence, store: Store) -> Iterable[str]:
    """What senders know they were paid, and what stands in the rows of those orders."""
    sent = {one.order_id: one.paid for one in evidence.accepted or () if one.order_id and one.paid is not None}
    rows = store.tables["payments"]
    kept = {order_id: rows[order_id]["amount"] for order_id in sent if order_id in rows}
    if sum(filter(None, sent.values())) != sum(filter(None, kept.values())):
        yield f"paid: senders sent {sum(filter(None, sent.values()))}, the stores hold {sum(kept.values())}"


def _short(value: Any) -> str:
    return str(value)[:200]
