"""Disputes of a payment: the state of each dispute, and the domain events that hold for it.

A dispute changes neither the payment's status nor its refunds: the shop has refunded nothing. The amount of a lost
dispute is money that the bank took, and is reported separately as `charged_back`. The result does not depend on the
order of events.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from processors.payment.domain.payment import Payment
from stream.events import DisputeClosed, DisputeOpened, DisputeWebhook, DomainEvent, OutcomeKind, Webhook, ids
from stream.state import untyped_registers as registers
from stream.state.untyped_registers import Registers

TRANSITIONS = (
    ("warning_needs_response", "warning_under_review"),
    ("needs_response", "under_review"),
    ("warning_closed", "closed", "lost", "won"),
)
"""A status may follow the statuses of its own tier and of the tiers above it; any other sequence is `late`.

An inquiry (`warning…`) may become a dispute. A later verdict may reverse an earlier one.
"""
INQUIRY, SETTLED = TRANSITIONS[0], TRANSITIONS[-1]
FUNDS = ("withdrawn", "reinstated")
EVENTS = (DisputeOpened, DisputeClosed)

EventKey = tuple[type[DomainEvent], tuple[str, ...]]
"""The type of a domain event, and the parts of its id: order, dispute, and status or stage and deadline."""


def apply_dispute(payment: Payment, webhook: DisputeWebhook) -> tuple[Payment, OutcomeKind]:
    """Return the payment after a webhook of one of its disputes, and the webhook's outcome."""
    notice, envelope = webhook.notice, webhook.envelope
    stamp = registers.stamp(TRANSITIONS, notice.status, envelope.occurred_at, envelope.event_id)
    fields = {
        "status": notice.status,
        "provider": envelope.provider,
        "reason": notice.reason,
        "amount": notice.amount,
        "currency": None if notice.amount is None else notice.currency,
        "evidence_due_by": notice.evidence_due_by,
        "transaction_id": notice.transaction_id,
    }
    before = payment.disputes.get(notice.dispute_id, {})
    after = registers.update(before, stamp, fields)
    if notice.funds:
        moved = (0, envelope.occurred_at or 0, FUNDS.index(notice.funds), envelope.event_id)
        after = registers.update(after, moved, {"funds": notice.funds})
    disputes = {**payment.disputes, notice.dispute_id: after}
    outcome: OutcomeKind = "late" if registers.is_behind(before, stamp) else "processed"
    return replace(payment, version=payment.version + 1, disputes=disputes), outcome


def merge(left: Mapping[str, Registers], right: Mapping[str, Registers]) -> Mapping[str, Registers]:
    """Merge the disputes of two payments."""
    names = sorted({*left, *right})
    return {name: registers.merge(left.get(name, {}), right.get(name, {})) for name in names}


def event_keys(payment: Payment) -> tuple[EventKey, ...]:
    """Return the keys of the events that hold for the disputes. A changed deadline of an open one makes a new event."""
    return tuple(_event_key(payment, name, state) for name, state in sorted(payment.disputes.items()))


def new_events(before: Payment, after: Payment, cause: Webhook) -> tuple[DomainEvent, ...]:
    """Return the domain events that hold only after the change; `after` may be pending state without an order."""
    known = event_keys(before)
    return tuple(build_event(key, after, cause) for key in event_keys(after) if key not in known)


def build_event(event_key: EventKey, payment: Payment, cause: Webhook) -> DomainEvent:
    """Build the domain event of a key from the state of its dispute."""
    kind, key = event_key
    state, envelope = payment.disputes[key[1]], cause.envelope
    values: dict[str, Any] = {
        "event_id": ids.domain_event_id(kind.__name__, *key),
        "caused_by": envelope.event_id,
        "mode": envelope.mode,
        "occurred_at": envelope.occurred_at,
        "received_at": envelope.received_at,
        "order_id": payment.order_id or None,
        "customer_id": registers.value(payment.told, "user_id"),
        "dispute_id": key[1],
        **{name: value for name, (_, value) in state.items()},
    }
    values["currency"] = values.get("currency") or "KRW"
    fields: dict[str, Any] = {name: values.get(name) for name in kind.__struct_fields__}
    return kind(**fields)


def shown(disputes: Mapping[str, Registers]) -> tuple[str, Registers] | None:
    """Return the dispute that a payment's row shows: the open one with the earliest deadline, else the latest one."""

    def urgency(entry: tuple[str, Registers]) -> tuple[Any, ...]:
        name, state = entry
        is_settled = registers.value(state, "status") in SETTLED
        due_by = registers.value(state, "evidence_due_by")
        return (is_settled, due_by is None, 0 if is_settled else due_by or 0, -state["status"][0][1], name)

    return min(disputes.items(), key=urgency, default=None)


def charged_back(payment: Payment) -> int:
    """Return the amount of lost disputes, in minor units of the payment's currency."""
    currency = payment.known("currency")
    lost = [state for state in payment.disputes.values() if registers.value(state, "status") == "lost"]
    return sum(
        registers.value(state, "amount") or 0
        for state in lost
        if currency in (None, registers.value(state, "currency") or currency)
    )


def _event_key(payment: Payment, name: str, state: Registers) -> EventKey:
    """While the order is unknown, the provider is part of the key."""
    status = registers.value(state, "status")
    provider = () if payment.order_id else (registers.value(state, "provider"),)
    if status in SETTLED:
        return DisputeClosed, (payment.order_id, name, status, *provider)
    stage = "inquiry" if status in INQUIRY else "dispute"
    due_by = str(registers.value(state, "evidence_due_by") or "")
    return DisputeOpened, (payment.order_id, name, stage, due_by, *provider)
