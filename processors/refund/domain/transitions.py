"""Apply an event to an order's refunds. The state does not depend on the order in which events arrive."""

from dataclasses import replace

import msgspec

from processors.refund.domain.refund import End, Refund, RefundRegisters
from processors.refund.domain.refunds import Paid, Refunds
from processors.refund.domain.statuses import ENDS, TRANSITIONS
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
from stream.state.registers import UNSET, Register, Stamp, register

REQUESTED_BY = "hookstream"
"""The provider of a refund that this system requested and no provider has reported yet."""

PaidEvent = PaymentCompleted | AmountMismatched | PaymentOverpaid | PaymentCancelled | PaymentRefunded
"""The domain events that state how much was paid for an order; refunds are compared with them."""


def apply_webhook(refunds: Refunds, webhook: RefundWebhook) -> tuple[Refunds, OutcomeKind]:
    """Return the refunds after a webhook, and `late` if its status comes before its refund's present one.

    Any other outcome is `processed`.
    """
    payload, envelope = webhook.payload, webhook.envelope
    stamp = registers.stamp(TRANSITIONS, payload.status, envelope.occurred_at, envelope.event_id)
    reason = register(stamp, payload.reason)
    is_rejected = payload.status == "rejected"
    stated = RefundRegisters(
        status=register(stamp, payload.status),
        amount=register(stamp, payload.amount),
        currency=register(stamp, None if payload.amount is None else payload.currency),
        rejection=reason if is_rejected else UNSET,
        reason=UNSET if is_rejected else reason,
        refunded_at=register(stamp, payload.refunded_at),
        provider=register(stamp, envelope.provider),
        reported_by_payment=register(stamp, payload.reported_by_payment or None),
    )
    ends = (
        {End(envelope.occurred_at or 0, payload.status): Register(stamp, value=True)} if payload.status in ENDS else {}
    )
    before = refunds.refunds.get(payload.refund_id, Refund())
    outcome: OutcomeKind = "late" if stamp < before.registers.status.stamp else "processed"
    return _with_refund(refunds, payload.refund_id, Refund(stated, ends)), outcome


def apply_request(refunds: Refunds, requested: RefundRequested | CryptoRefundRequested) -> Refunds:
    """Return the refunds with a requested one, which is `pending` until its provider reports it."""
    stamp = registers.stamp(TRANSITIONS, "pending", requested.occurred_at, requested.event_id)
    stated = RefundRegisters(
        status=register(stamp, "pending"),
        reason=register(stamp, requested.reason),
        provider=register(stamp, REQUESTED_BY),
    )
    if isinstance(requested, RefundRequested):
        amount, currency = register(stamp, requested.amount), register(stamp, requested.currency)
        stated = msgspec.structs.replace(stated, amount=amount, currency=currency)
    else:
        crypto, asset = register(stamp, requested.amount), register(stamp, requested.asset)
        stated = msgspec.structs.replace(stated, crypto_amount=crypto, crypto_asset=asset)
    return _with_refund(refunds, requested.refund_id, Refund(stated))


def apply_payment(refunds: Refunds, event: PaidEvent) -> Refunds:
    """Return the refunds with what the event's transaction paid. `version` does not change.

    A PaymentCancelled that refunded nothing changes nothing. A PaymentRefunded states currency and provider, but no
    amount.
    """
    if isinstance(event, PaymentCancelled) and not event.refunded_amount:
        return refunds
    at = event.occurred_at or event.received_at
    if isinstance(event, PaymentRefunded):  # its amount is the amount refunded
        stated = Register(Stamp(-1, at, 0, event.event_id), Paid(None, event.currency, event.provider))
    else:
        provider = None if isinstance(event, AmountMismatched) else event.provider
        paid = Paid(event.amount, event.currency, provider, event.released_amount)
        stated = Register(Stamp(0, at, 0, event.event_id), paid)
    return replace(refunds, paid=registers.merge_by_key(refunds.paid, {event.transaction_id or "": stated}))


def merge(refunds: Refunds, pending: Refunds) -> Refunds:
    """Return an order's refunds merged with pending state, received before the order was known. Versions are added."""
    refund_ids = sorted({*refunds.refunds, *pending.refunds})
    merged = {
        refund_id: _merged(refunds.refunds.get(refund_id, Refund()), pending.refunds.get(refund_id, Refund()))
        for refund_id in refund_ids
    }
    paid = registers.merge_by_key(refunds.paid, pending.paid)
    return replace(refunds, version=refunds.version + pending.version, refunds=merged, paid=paid)


def _with_refund(refunds: Refunds, refund_id: str, stated: Refund) -> Refunds:
    """Return the refunds with `stated`, the state that one event states of a refund, merged, and the next version."""
    refund = _merged(refunds.refunds.get(refund_id, Refund()), stated)
    return replace(refunds, version=refunds.version + 1, refunds={**refunds.refunds, refund_id: refund})


def _merged(left: Refund, right: Refund) -> Refund:
    return Refund(registers.merge(left.registers, right.registers), registers.merge_by_key(left.ends, right.ends))
