"""The part of a payment's state that one webhook makes: registers, transaction, cancels and log entries."""

from collections.abc import Mapping

from msgspec.structs import astuple
from msgspec.structs import replace as with_fields

from processors.payment.domain.payment import STATED_FIELDS
from processors.payment.domain.payment_registers import CancelledAmount, PaymentRegisters, TransactionRegisters
from processors.payment.domain.statuses import FAILED
from processors.payment.domain.transactions import transaction_log
from processors.payment.domain.transactions.cancel_claims import Parts
from stream.events import EventId, Micros, PaymentPayload, PaymentWebhook
from stream.state import registers
from stream.state.registers import NO_EVENT, NO_TIME, UNSET, Register, Stamp, register


def parts_of(webhook: PaymentWebhook, stamp: Stamp) -> Parts:
    """Return the part of a payment's state that a webhook alone makes. `stamp` is the stamp of the webhook's status."""
    payload, transaction = webhook.payload, transaction_of(webhook.payload)
    registered = PaymentRegisters(
        status=register(stamp, payload.status),
        provider=register(stamp, webhook.envelope.provider),
        method=register(stamp, payload.method),
        transaction_id=register(stamp, payload.transaction_id),
        pg_transaction_id=register(stamp, payload.pg_transaction_id),
        amount=register(stamp, payload.amount),
        currency=register(stamp, None if payload.amount is None else payload.currency),
        failure_reason=register(stamp, payload.failure_reason if payload.status in FAILED else None),
        paid_at=register(stamp, payload.paid_at),
        released_amount=register(stamp, payload.released_amount),
        transaction=register(stamp, transaction),
        deposited=register(stamp, True if payload.status == "completed" else None),
        user_id=register(stamp, payload.user_id),
    )
    return Parts(
        registered,
        _transactions(transaction, payload.refunded_amount, registered),
        _cancels(payload, transaction),
        transaction_log.payment_entries(payload, webhook.envelope.provider, transaction, stamp),
    )


def transaction_of(payload: PaymentPayload) -> str:
    """Return the transaction's id: that at the payment gateway, else the provider's; empty if neither is stated."""
    return payload.pg_transaction_id or payload.transaction_id or ""


def aliases_in(payload: PaymentPayload) -> list[str]:
    """Return all ids of the transaction that a webhook names, sorted."""
    return sorted(filter(None, {payload.transaction_id, payload.pg_transaction_id, *payload.aliases}))


def _transactions(
    transaction: str, refunded: int | None, registered: PaymentRegisters
) -> Mapping[str, TransactionRegisters]:
    """Return the transaction's state by its id; empty for a webhook that states neither an id nor a refund total."""
    if not transaction and refunded is None:
        return {}
    total = UNSET if refunded is None else Register(Stamp(refunded, NO_TIME, 0, NO_EVENT), refunded)
    stated = astuple(registered)[:STATED_FIELDS] if transaction else ()
    return {transaction: with_fields(TransactionRegisters(*stated), refunded_amount=total)}


def _cancels(payload: PaymentPayload, transaction: str) -> Mapping[str, Register[CancelledAmount]]:
    cancels: Mapping[str, Register[CancelledAmount]] = {}
    for cancel in payload.cancels:
        stamp = Stamp(cancel.amount, Micros(cancel.cancelled_at or 0), 0, EventId(transaction))
        cancelled = Register(stamp, CancelledAmount(cancel.amount, transaction))
        cancels = registers.merge_by_key(cancels, {cancel.id: cancelled})
    return cancels
