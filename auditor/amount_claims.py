"""Claims about amounts: sums agree between records, stores and senders, and refunds with payments. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping

from auditor.evidence import AuditEvidence, Claim, Row, Store
from auditor.expectation import expected
from auditor.record_claims import Trace
from stream.events import CreditAdded

NO_VALUE = "of no currency"
SUMS = (
    ("paid", "payment", "payments", ("amount", "currency", "status")),
    ("refunded of payments", "payment", "payments", ("refunded_amount", "currency", "status")),
    ("refunds", "refund", "refunds", ("amount", "currency", "status")),
    ("credits", "invoice", "credits", ("amount", "currency", "customer_id")),
)
"""The sums that MONEY compares: label, service, table, and columns (the summed one, then those to group by)."""


def money(trace: Trace) -> Claim:
    """Check that sums of amounts agree between records, stores, the ledger of credits, and what senders sent.

    Checks nothing unless the stores of payments, refunds and invoices are part of the evidence.
    """
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
    """Check for each order with a payment and completed refunds that the refunds do not exceed the payment.

    Refunds that the payment reported must be within its refunded amount, all refunds within the amount paid. An excess
    is unfinished while one of the two outboxes has unpublished messages. Checks nothing unless both stores are part of
    the evidence.
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


def _sums(rows: Mapping[str, Row], amount: str, *by: str) -> Counter[tuple[str, ...]]:
    sums: Counter[tuple[str, ...]] = Counter()
    for row in rows.values():
        sums[tuple(str(row[name] or NO_VALUE) for name in by)] += row[amount] or 0
    return sums


def _credits(evidence: AuditEvidence, store: Store) -> Iterable[str]:
    """Compare the ledger with the published CreditAdded events, entry by entry, unless the outbox has messages."""
    events = (entry.delivery.event for entry in evidence.entries)
    added = {event.entry_id: (event.amount, event.currency) for event in events if isinstance(event, CreditAdded)}
    stored = {row["entry_id"]: (row["amount"], row["currency"]) for row in store.tables["credits"].values()}
    if not store.outbox and added != stored:
        sums = [sum(amount for amount, _ in ledger.values()) for ledger in (added, stored)]
        yield f"credits: {sums[0]} published, {sums[1]} in the ledger"


def _paid(evidence: AuditEvidence, store: Store) -> Iterable[str]:
    """Compare the amounts that senders sent with the rows of the same orders."""
    webhooks = [webhook for webhook in evidence.accepted or () if webhook.order_id and webhook.paid is not None]
    sent = {webhook.order_id or "": webhook.paid for webhook in webhooks}
    rows = store.tables["payments"]
    stored = {order_id: rows[order_id]["amount"] for order_id in sent if order_id in rows}
    sums = [sum(filter(None, amounts.values())) for amounts in (sent, stored)]
    if sums[0] != sums[1]:
        yield f"paid: senders sent {sums[0]}, the stores hold {sums[1]}"


CLAIMS = (money, agreement)
