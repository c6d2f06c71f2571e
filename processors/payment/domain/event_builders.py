"""Builds the domain events of a payment, each from the payment's state after the change that makes it hold."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypedDict

from processors.payment.domain.payment import Payment
from processors.payment.domain.published_state import payment_state
from processors.payment.domain.transactions.cancel_claims import claim_key
from stream.events import (
    AmountMismatched,
    DepositAwaited,
    DepositReversed,
    DomainEvent,
    EventHeader,
    PaymentCancelled,
    PaymentCompleted,
    PaymentFailed,
    PaymentOverpaid,
    PaymentRefunded,
    PaymentState,
    RefundMismatched,
    RefundRequested,
    Webhook,
    ids,
)
from stream.state.money import DEFAULT_CURRENCY


class Change(NamedTuple):
    """A change from `before` to `payment` that makes an event hold. `key` holds the parts of the event's id."""

    key: tuple[str, ...]
    before: Payment
    payment: Payment
    cause: Webhook


class PaymentFields(TypedDict):
    """The fields of most events about a payment, for `**common` in their constructors."""

    provider: str
    currency: str
    transaction_id: str | None
    state: PaymentState


def build_event(kind: type[DomainEvent], change: Change) -> DomainEvent:
    """Build the domain event of type `kind`. Raises KeyError for PaymentUpdated and types not about a payment."""
    payment, envelope, stated = change.payment, change.cause.envelope, change.payment.stated
    header = EventHeader(
        event_id=ids.domain_event_id(kind.__name__, *change.key),
        caused_by=envelope.event_id,
        mode=envelope.mode,
        occurred_at=envelope.occurred_at,
        received_at=envelope.received_at,
        order_id=payment.order_id,
        customer_id=payment.registers.user_id.value,
    )
    common = PaymentFields(
        provider=stated.provider.value or "",
        currency=stated.currency.value or DEFAULT_CURRENCY,
        transaction_id=stated.transaction_id.value,
        state=payment_state(payment),
    )
    return _BUILDERS[kind](header, common, change)


def _payment_completed(header: EventHeader, common: PaymentFields, change: Change) -> PaymentCompleted:
    payment, before, stated = change.payment, change.before, change.payment.stated
    has_refund_failed = before.version > 0 and payment.refunds.failures > before.refunds.failures
    return PaymentCompleted(
        **header,
        **common,
        amount=stated.amount.value,
        method=stated.method.value,
        paid_at=payment.paid_at,
        reason="refund_failed" if has_refund_failed else None,
        released_amount=stated.released_amount.value,
    )


def _payment_failed(header: EventHeader, common: PaymentFields, change: Change) -> PaymentFailed:
    payment = change.payment
    return PaymentFailed(**header, **common, amount=payment.stated.amount.value, reason=payment.failure_reason)


def _payment_refunded(header: EventHeader, common: PaymentFields, change: Change) -> PaymentRefunded:
    total = change.payment.refunded_amount
    added = total - change.before.refunded_amount
    return PaymentRefunded(**header, **common, amount=added if added > 0 else total, refunded_amount=total)


def _payment_cancelled(header: EventHeader, common: PaymentFields, change: Change) -> PaymentCancelled:
    payment = change.payment
    return PaymentCancelled(
        **header,
        **common,
        amount=payment.stated.amount.value,
        refunded_amount=payment.cancelled_amount,
        cancelled_at=payment.registers.status.stamp.at or None,
        released_amount=payment.stated.released_amount.value,
    )


def _deposit_awaited(header: EventHeader, common: PaymentFields, change: Change) -> DepositAwaited:
    return DepositAwaited(**header, **common, amount=change.payment.stated.amount.value)


def _deposit_reversed(header: EventHeader, common: PaymentFields, change: Change) -> DepositReversed:
    return DepositReversed(**header, **common, amount=change.payment.stated.amount.value)


def _amount_mismatched(header: EventHeader, common: PaymentFields, change: Change) -> AmountMismatched:
    """Build AmountMismatched, which holds only when both amounts are known."""
    stated, order = change.payment.stated, change.payment.order
    return AmountMismatched(
        **header,
        amount=stated.amount.value or 0,
        currency=common["currency"],
        expected_amount=order.amount.value or 0,
        expected_currency=order.currency.value or "",
        transaction_id=common["transaction_id"],
        released_amount=stated.released_amount.value,
        state=common["state"],
    )


def _payment_overpaid(header: EventHeader, common: PaymentFields, change: Change) -> PaymentOverpaid:
    transaction = change.key[1]
    state = change.payment.transactions[transaction]
    return PaymentOverpaid(
        **header,
        provider=state.provider.value or common["provider"],
        amount=state.amount.value,
        currency=state.currency.value or DEFAULT_CURRENCY,
        transaction_id=transaction,
        released_amount=state.released_amount.value,
    )


def _refund_requested(header: EventHeader, common: PaymentFields, change: Change) -> RefundRequested:
    """Request the refund of a transaction that overpaid the order, else of a payment with a wrong amount."""
    payment, transaction = change.payment, change.key[1]
    is_overpaid = transaction in payment.extra_transactions
    state = payment.transactions[transaction] if is_overpaid else payment.stated
    return RefundRequested(
        **header,
        refund_id=ids.domain_event_id("refund", *change.key),
        amount=state.amount.value or 0,
        currency=state.currency.value or DEFAULT_CURRENCY,
        reason="overpaid" if is_overpaid else "amount_mismatch",
        transaction_id=transaction if is_overpaid else common["transaction_id"],
    )


def _refund_mismatched(header: EventHeader, common: PaymentFields, change: Change) -> RefundMismatched:
    match change.key:
        case (_, transaction, total):
            return _excessive_refund(header, common, change.payment, transaction, int(total))
        case (_, provider, transaction, reason):
            return _unmatched_cancel(header, change.payment, provider, transaction, reason)
        case key:
            raise ValueError(f"RefundMismatched has a key of 3 or 4 parts, not {key}")


def _excessive_refund(
    header: EventHeader, common: PaymentFields, payment: Payment, transaction: str, total: int
) -> RefundMismatched:
    """Build RefundMismatched for a transaction of which more was refunded, `total` in minor units, than was paid."""
    state = payment.transactions[transaction]
    return RefundMismatched(
        **header,
        refund_id=None,
        provider=state.provider.value or common["provider"],
        transaction_id=transaction or None,
        amount=total,
        currency=state.currency.value or DEFAULT_CURRENCY,
        paid_amount=state.amount.value,
        paid_currency=state.currency.value,
        reason="exceeds_payment",
    )


def _unmatched_cancel(
    header: EventHeader, payment: Payment, provider: str, transaction: str, reason: str
) -> RefundMismatched:
    """Build RefundMismatched for a cancel that does not belong to the order's payment."""
    parts = payment.claims[claim_key(provider, transaction)].parts
    cancelled = sum(register.value.amount for register in parts.cancels.values() if register.value)
    return RefundMismatched(
        **header,
        refund_id=None,
        provider=provider,
        transaction_id=transaction or None,
        amount=cancelled or parts.registers.amount.value,
        currency=parts.registers.currency.value or DEFAULT_CURRENCY,
        paid_amount=payment.stated.amount.value,
        paid_currency=payment.stated.currency.value,
        reason=reason,
    )


_BUILDERS: Mapping[type[DomainEvent], Callable[[EventHeader, PaymentFields, Change], DomainEvent]] = {
    PaymentCompleted: _payment_completed,
    PaymentFailed: _payment_failed,
    PaymentRefunded: _payment_refunded,
    PaymentCancelled: _payment_cancelled,
    PaymentOverpaid: _payment_overpaid,
    DepositAwaited: _deposit_awaited,
    DepositReversed: _deposit_reversed,
    AmountMismatched: _amount_mismatched,
    RefundRequested: _refund_requested,
    RefundMismatched: _refund_mismatched,
}
