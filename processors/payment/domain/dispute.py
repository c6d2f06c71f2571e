"""Disputes of a payment: registers per dispute, and what is true of them. The same in whatever order they are told.

A dispute changes nothing of what the payment is: the shop has given nothing back. A lost one is money that the bank
took, `charged_back`, beside the payment's own status and refunds.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from processors.payment.domain.payment import Payment
from stream.events import DisputeClosed, DisputeOpened, DisputeWebhook, DomainEvent, OutcomeKind, Webhook, ids
from stream.state import registers
from stream.state.registers import Told

TRANSITIONS = (
    ("warning_needs_response", "warning_under_review"),
    ("needs_response", "under_review"),
    ("warning_closed", "closed", "lost", "won"),
)
"""A status may follow those of its own tier and of the tiers above it; what comes later than its turn is `late`.

An inquiry (`warning…`) may become a dispute. A verdict may be reversed by a later one.
"""
INQUIRY, SETTLED = TRANSITIONS[0], TRANSITIONS[-1]
FUNDS = ("withdrawn", "reinstated")
FACTS = (DisputeOpened, DisputeClosed)

Truth = tuple[type[DomainEvent], tuple[str, ...]]


def tell(payment: Payment, webhook: DisputeWebhook) -> tuple[Payment, OutcomeKind]:
    """The payment after a webhook of one of its disputes."""
    notice, envelope = webhook.notice, webhook.envelope
    when = registers.stamp(TRANSITIONS, notice.status, envelope.occurred_at, envelope.event_id)
    said = {
        "status": notice.status,
        "provider": envelope.provider,
        "reason": notice.reason,
        "amount": notice.amount,
        "currency": None if notice.amount is None else notice.currency,
        "evidence_due_by": notice.evidence_due_by,
        "transaction_id": notice.transaction_id,
    }
    before = payment.disputes.get(notice.dispute_id, {})
    after = registers.tell(before, when, said)
    if notice.funds:
        moved = (0, envelope.occurred_at or 0, FUNDS.index(notice.funds), envelope.event_id)
        after = registers.tell(after, moved, {"funds": notice.funds})
    disputes = {**payment.disputes, notice.dispute_id: after}
    outcome: OutcomeKind = "late" if registers.is_behind(before, when) else "processed"
    return replace(payment, version=payment.version + 1, disputes=disputes), outcome


def merge(one: Mapping[str, Told], other: Mapping[str, Told]) -> Mapping[str, Told]:
    """Merge the disputes of two payments."""
    names = sorted({*one, *other})
    return {name: registers.merge(one.get(name, {}), other.get(name, {})) for name in names}


def truths(payment: Payment) -> tuple[Truth, ...]:
    """Return the domain events that hold for these disputes; an open one has a new one when its deadline changes."""
    return tuple(_truth(payment, name, told) for name, told in sorted(payment.disputes.items()))


def news(before: Payment, after: Payment, cause: Webhook) -> tuple[DomainEvent, ...]:
    """Return the domain events that hold only after the change; `after` may be pending state without an order."""
    known = truths(before)
    return tuple(announce(truth, after, cause) for truth in truths(after) if truth not in known)


def announce(truth: Truth, payment: Payment, cause: Webhook) -> DomainEvent:
    """The fact of a truth that was none before."""
    kind, key = truth
    told, envelope = payment.disputes[key[1]], cause.envelope
    said: dict[str, Any] = {
        "event_id": ids.fact_id(kind.__name__, *key),
        "caused_by": envelope.event_id,
        "mode": envelope.mode,
        "occurred_at": envelope.occurred_at,
        "received_at": envelope.received_at,
        "order_id": payment.order_id or None,
        "customer_id": registers.value(payment.told, "user_id"),
        "dispute_id": key[1],
        **{name: value for name, (_, value) in told.items()},
    }
    said["currency"] = said.get("currency") or "KRW"
    fields: dict[str, Any] = {name: said.get(name) for name in kind.__struct_fields__}
    return kind(**fields)


def shown(disputes: Mapping[str, Told]) -> tuple[str, Told] | None:
    """The dispute to show where there is room for one: an open one first, by its deadline, else the one told last."""

    def place(entry: tuple[str, Told]) -> tuple[Any, ...]:
        name, told = entry
        is_settled = registers.value(told, "status") in SETTLED
        due_by = registers.value(told, "evidence_due_by")
        return (is_settled, due_by is None, 0 if is_settled else due_by or 0, -told["status"][0][1], name)

    return min(disputes.items(), key=place, default=None)


def charged_back(payment: Payment) -> int:
    """Return the amount of lost disputes, in minor units of the payment's currency."""
    currency = payment.known("currency")
    lost = [told for told in payment.disputes.values() if registers.value(told, "status") == "lost"]
    return sum(
        registers.value(told, "amount") or 0
        for told in lost
        if currency in (None, registers.value(told, "currency") or currency)
    )


def _truth(payment: Payment, name: str, told: Told) -> Truth:
    """While the order is not known, the provider is part of what makes it one truth."""
    status = registers.value(told, "status")
    provider = () if payment.order_id else (registers.value(told, "provider"),)
    if status in SETTLED:
        return DisputeClosed, (payment.order_id, name, status, *provider)
    stage = "inquiry" if status in INQUIRY else "dispute"
    due_by = str(registers.value(told, "evidence_due_by") or "")
    return DisputeOpened, (payment.order_id, name, stage, due_by, *provider)
