"""Builds the domain events of an invoice, each from its state after the change that makes it hold."""

from processors.invoice.domain.invoice import MISMATCH, UNKNOWN, Invoice
from processors.invoice.domain.invoice_registers import EndRegisters
from processors.invoice.domain.statuses import EVENT_BY_STATE
from stream.events import (
    CreditAdded,
    CryptoRefundRequested,
    DigitalDeliveryRequested,
    DomainEvent,
    Envelope,
    EventHeader,
    InvoiceEvent,
    InvoiceUnderpaid,
    ids,
)
from stream.state.money import DEFAULT_CURRENCY


def build_event(kind: type[DomainEvent], invoice: Invoice, cause: Envelope) -> DomainEvent:
    """Build the domain event of type `kind`, which must be one of `event_types(invoice)`."""
    header = EventHeader(
        event_id=ids.domain_event_id(kind.__name__, invoice.invoice_id),
        caused_by=cause.event_id,
        mode=cause.mode,
        occurred_at=cause.occurred_at,
        received_at=cause.received_at,
        order_id=None,
        customer_id=invoice.registers.customer_id.value,
    )
    if kind is CreditAdded:
        return _credit(invoice, header)
    if kind is DigitalDeliveryRequested:
        title = invoice.registers.title.value or ""
        return DigitalDeliveryRequested(**header, invoice_id=invoice.invoice_id, title=title)
    if kind is CryptoRefundRequested:
        return _refund(invoice, header)
    return _invoice_event(kind, invoice, header)


def _credit(invoice: Invoice, header: EventHeader) -> CreditAdded:
    """Build the credit of an invoice's cash amount. Its `balance` is that amount until `with_balances` sets it."""
    amount = invoice.registers.cash_amount.value or 0
    return CreditAdded(
        **header,
        invoice_id=invoice.invoice_id,
        entry_id=ids.domain_event_id("credit", invoice.invoice_id),
        amount=amount,
        currency=invoice.registers.cash_currency.value or DEFAULT_CURRENCY,
        balance=amount,
    )


def _refund(invoice: Invoice, header: EventHeader) -> CryptoRefundRequested:
    return CryptoRefundRequested(
        **header,
        refund_id=ids.domain_event_id("refund", invoice.invoice_id),
        invoice_id=invoice.invoice_id,
        amount=invoice.received_amount or "0",
        asset=invoice.registers.crypto_asset.value,
        reason=invoice.reason or UNKNOWN,
        transaction_id=invoice.registers.transaction_id.value,
    )


def _invoice_event(kind: type[DomainEvent], invoice: Invoice, header: EventHeader) -> InvoiceEvent:
    """Build the event of the invoice's state, or InvoiceUnderpaid from what the provider stated of the state Fail."""
    is_short, failure, stated = kind is InvoiceUnderpaid, invoice.ends.get("Fail", EndRegisters()), invoice.registers
    make = InvoiceUnderpaid if is_short else EVENT_BY_STATE[invoice.state or ""]
    return make(
        **header,
        invoice_id=invoice.invoice_id,
        title=stated.title.value,
        amount=stated.cash_amount.value,
        currency=stated.cash_currency.value or DEFAULT_CURRENCY,
        crypto_amount=stated.crypto_amount.value,
        crypto_asset=stated.crypto_asset.value,
        received_amount=failure.received_amount.value if is_short else invoice.received_amount,
        expected_amount=failure.expected_amount.value if is_short else invoice.expected_amount,
        reason=MISMATCH if is_short else invoice.reason,
    )
