"""The domain events that hold for an invoice, those that a change makes new, and the balances of credits."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation

import msgspec

from processors.invoice.domain.invoice import MISMATCH, UNKNOWN, EndRegisters, Invoice, Transfer
from processors.invoice.domain.transitions import apply_to_invoice
from stream.events import (
    CreditAdded,
    CryptoRefundRequested,
    DigitalDeliveryRequested,
    DomainEvent,
    Envelope,
    EventHeader,
    InvoiceCancelled,
    InvoiceCompleted,
    InvoiceEvent,
    InvoiceFailed,
    InvoicePending,
    InvoiceRejected,
    InvoiceUnderpaid,
    InvoiceWebhook,
    OutcomeKind,
    TransferWebhook,
    ids,
)
from stream.state.fold import Result

EVENT_BY_STATE: dict[str, type[InvoiceEvent]] = {
    "Pending": InvoicePending,
    "Cancel": InvoiceCancelled,
    "Reject": InvoiceRejected,
    "Fail": InvoiceFailed,
    "Complete": InvoiceCompleted,
}


def apply(
    invoice: Invoice, transfer: Transfer | None, webhook: InvoiceWebhook | TransferWebhook
) -> tuple[Invoice, OutcomeKind, tuple[DomainEvent, ...]]:
    """Apply a webhook of an invoice, or of the `transfer` that pays it.

    Return the invoice, the webhook's outcome, and the new domain events.
    """
    after, outcome = apply_to_invoice(invoice, transfer, webhook)
    new = [kind for kind in event_types(after) if kind not in event_types(invoice)]
    return after, outcome, tuple(_build_event(kind, after, webhook.envelope) for kind in new)


def event_types(invoice: Invoice) -> tuple[type[DomainEvent], ...]:
    """Return the types of the events that hold. CreditAdded needs a customer, DigitalDeliveryRequested a title."""
    state, stated = invoice.state, invoice.registers
    is_refundable = state == "Fail" and invoice.reason == MISMATCH
    optional = {
        CreditAdded: state == "Complete" and bool(stated.customer_id.value) and (stated.cash_amount.value or 0) > 0,
        DigitalDeliveryRequested: state == "Complete" and bool(stated.title.value),
        CryptoRefundRequested: is_refundable and is_positive(invoice.received_amount),
        InvoiceUnderpaid: invoice.is_underpaid,
    }
    main = EVENT_BY_STATE.get(state or "")
    return (*([main] if main else ()), *(kind for kind, holds in optional.items() if holds))


def is_positive(amount: str | None) -> bool:
    """Return whether a decimal text is a finite number above zero; False if it is no number."""
    try:
        number = Decimal(amount or 0)
    except InvalidOperation:
        return False
    return number.is_finite() and number > 0


def credits_in(results: Sequence[Result]) -> list[CreditAdded]:
    """Return the credits among the events to publish."""
    return [event for result in results for event in result.events if isinstance(event, CreditAdded)]


def with_balances(results: Sequence[Result], balances: Mapping[tuple[str, str], int]) -> list[Result]:
    """Return the results with the balance after each credit set.

    `balances` holds the balance before the batch by (customer id, currency), in minor units.
    """
    running = dict(balances)

    def with_balance(event: DomainEvent) -> DomainEvent:
        if not isinstance(event, CreditAdded):
            return event
        account = (event.customer_id or "", event.currency)
        running[account] = running.get(account, 0) + event.amount
        return msgspec.structs.replace(event, balance=running[account])

    return [replace(result, events=tuple(map(with_balance, result.events))) for result in results]


def _build_event(kind: type[DomainEvent], invoice: Invoice, cause: Envelope) -> DomainEvent:
    stated = invoice.registers
    cash, currency = stated.cash_amount.value, stated.cash_currency.value or "KRW"
    header = EventHeader(
        event_id=ids.domain_event_id(kind.__name__, invoice.invoice_id),
        caused_by=cause.event_id,
        mode=cause.mode,
        occurred_at=cause.occurred_at,
        received_at=cause.received_at,
        order_id=None,
        customer_id=stated.customer_id.value,
    )
    if kind is CreditAdded:
        entry_id = ids.domain_event_id("credit", invoice.invoice_id)
        return CreditAdded(
            **header,
            invoice_id=invoice.invoice_id,
            entry_id=entry_id,
            amount=cash or 0,
            currency=currency,
            balance=cash or 0,
        )
    if kind is DigitalDeliveryRequested:
        return DigitalDeliveryRequested(**header, invoice_id=invoice.invoice_id, title=stated.title.value or "")
    if kind is CryptoRefundRequested:
        return CryptoRefundRequested(
            **header,
            refund_id=ids.domain_event_id("refund", invoice.invoice_id),
            invoice_id=invoice.invoice_id,
            amount=invoice.received_amount or "0",
            asset=stated.crypto_asset.value,
            reason=invoice.reason or UNKNOWN,
            transaction_id=stated.transaction_id.value,
        )
    is_short = kind is InvoiceUnderpaid
    failure = invoice.ends.get("Fail", EndRegisters())
    make = InvoiceUnderpaid if is_short else EVENT_BY_STATE[invoice.state or ""]
    return make(
        **header,
        invoice_id=invoice.invoice_id,
        title=stated.title.value,
        amount=cash,
        currency=currency,
        crypto_amount=stated.crypto_amount.value,
        crypto_asset=stated.crypto_asset.value,
        received_amount=failure.received_amount.value if is_short else invoice.received_amount,
        expected_amount=failure.expected_amount.value if is_short else invoice.expected_amount,
        reason=MISMATCH if is_short else invoice.reason,
    )
