"""Apply an event to an order's refunds. The result does not depend on the order in which events arrive."""

from dataclasses import replace
from typing import Any

from processors.refund.domain.refunds import TRANSITIONS, Refunds
from stream.events import (
    AmountMismatched,
    CryptoRefundRequested,
    OutcomeKind,
    PaymentCancelled,
    PaymentCompleted,
    PaymentOverpaid,
    PaymentRefunded,
    RefundRequested,
    RefundWebhook,
)
from stream.state import registers
from stream.state.registers import Registers

REQUESTED_BY = "hookstream"
"""The provider of a refund that this system requested and no provider has reported yet."""

PaidEvent = PaymentCompleted | AmountMismatched | PaymentOverpaid | PaymentCancelled | PaymentRefunded
"""The domain events that state how much was paid for an order; refunds are compared with them."""

ENDS = ("completed", "rejected")


def apply_webhook(refunds: Refunds, webhook: RefundWebhook) -> tuple[Refunds, OutcomeKind]:
    """Return the refunds after a webhook, and the webhook's outcome."""
    notice, envelope = webhook.notice, webhook.envelope
    stamp = registers.stamp(TRANSITIONS, notice.status, envelope.occurred_at, envelope.event_id)
    fields = {
        "status": notice.status,
        "amount": notice.amount,
        "currency": None if notice.amount is None else notice.currency,
        "rejection" if notice.status == "rejected" else "reason": notice.reason,
        "refunded_at": notice.refunded_at,
        "provider": envelope.provider,
        "told_by_payment": notice.told_by_payment or None,
        f"{notice.status}@{envelope.occurred_at or 0}": True if notice.status in ENDS else None,
    }
    before = refunds.refunds.get(notice.refund_id, {})
    outcome: OutcomeKind = "late" if registers.is_behind(before, stamp) else "processed"
    return _with_refund(refunds, notice.refund_id, registers.update(before, stamp, fields)), outcome


def apply_request(refunds: Refunds, requested: RefundRequested | CryptoRefundRequested) -> Refunds:
    """Add a requested refund, which is pending until its provider reports it."""
    stamp = registers.stamp(TRANSITIONS, "pending", requested.occurred_at, requested.event_id)
    fields: dict[str, Any] = {"status": "pending", "reason": requested.reason, "provider": REQUESTED_BY}
    if isinstance(requested, RefundRequested):
        fields |= {"amount": requested.amount, "currency": requested.currency}
    else:
        fields |= {"crypto_amount": requested.amount, "crypto_asset": requested.asset}
    return _with_refund(
        refunds, requested.refund_id, registers.update(refunds.refunds.get(requested.refund_id, {}), stamp, fields)
    )


def apply_payment(refunds: Refunds, event: PaidEvent) -> Refunds:
    """Record what was paid for the order. A cancel that refunded nothing states no payment."""
    if isinstance(event, PaymentCancelled) and not event.refunded_amount:
        return refunds
    stamp = (0, event.occurred_at or event.received_at, 0, event.event_id)
    released = getattr(event, "released_amount", None)
    paid = (event.amount, event.currency, getattr(event, "provider", None), released)
    if isinstance(event, PaymentRefunded):  # its amount is the amount refunded
        paid = (None, *paid[1:])
        stamp = (-1, *stamp[1:])
    return replace(refunds, paid=registers.update(refunds.paid, stamp, {event.transaction_id or "": paid}))


def merge(refunds: Refunds, other: Refunds) -> Refunds:
    """Merge two states of one order's refunds."""
    names = sorted({*refunds.refunds, *other.refunds})
    merged = {name: registers.merge(refunds.refunds.get(name, {}), other.refunds.get(name, {})) for name in names}
    paid = registers.merge(refunds.paid, other.paid)
    return replace(refunds, version=refunds.version + other.version, refunds=merged, paid=paid)


def _with_refund(refunds: Refunds, refund_id: str, state: Registers) -> Refunds:
    return replace(refunds, version=refunds.version + 1, refunds={**refunds.refunds, refund_id: state})
