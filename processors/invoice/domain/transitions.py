"""Apply a webhook to an invoice or a transfer. The result does not depend on the order in which webhooks arrive."""

from collections.abc import Mapping
from dataclasses import replace

from processors.invoice.domain.invoice import (
    TRANSFERS,
    TRANSITIONS,
    UNSUCCESSFUL,
    EndRegisters,
    Invoice,
    InvoiceRegisters,
    Transfer,
    TransferRegisters,
    above_transfers,
)
from stream.events import InvoiceNotice, InvoiceWebhook, OutcomeKind, TransferNotice, TransferWebhook
from stream.state import registers
from stream.state.registers import Stamp, register


def apply_to_transfer(transfer: Transfer, webhook: InvoiceWebhook | TransferWebhook) -> tuple[Transfer, OutcomeKind]:
    """Apply a webhook of a transfer, or of an invoice that names it; return the transfer and the webhook's outcome."""
    envelope = webhook.envelope
    if isinstance(webhook, InvoiceWebhook):
        stamp = Stamp(-1, envelope.occurred_at or 0, 0, envelope.event_id)
        merged = registers.merge(transfer.registers, _stated_by_invoice(webhook.notice, stamp))
        return replace(transfer, registers=merged), "processed"
    stamp = registers.stamp(TRANSFERS, webhook.notice.state, envelope.occurred_at, envelope.event_id)
    outcome: OutcomeKind = "late" if stamp < transfer.registers.state.stamp else "processed"
    merged = registers.merge(transfer.registers, _stated_by_transfer(webhook.notice, stamp))
    return replace(transfer, version=transfer.version + 1, registers=merged), outcome


def apply_to_invoice(
    invoice: Invoice, transfer: Transfer | None, webhook: InvoiceWebhook | TransferWebhook
) -> tuple[Invoice, OutcomeKind]:
    """Apply a webhook of an invoice, or of the `transfer` that pays it; return the invoice and the outcome."""
    merged = _with_transfer(invoice.registers, transfer)
    if not isinstance(webhook, InvoiceWebhook):
        # A transfer's webhooks are counted by the transfer, as it may find its invoice only later.
        return replace(invoice, registers=merged), "processed"
    notice, envelope = webhook.notice, webhook.envelope
    stamp = above_transfers(registers.stamp(TRANSITIONS, notice.state, envelope.occurred_at, envelope.event_id))
    outcome: OutcomeKind = "late" if stamp < invoice.registers.state.stamp else "processed"
    ends = _with_end(invoice.ends, notice, stamp) if notice.state in UNSUCCESSFUL else invoice.ends
    merged = registers.merge(merged, _stated(notice, stamp))
    return replace(invoice, version=invoice.version + 1, registers=merged, ends=ends), outcome


def contradicts(invoice: Invoice, webhook: InvoiceWebhook) -> bool:
    """Return whether a webhook completes a completed invoice with another amount. It is credited only once (ADR 22)."""
    known, stated = invoice.registers.cash_amount.value, webhook.notice.cash_amount
    return invoice.state == webhook.notice.state == "Complete" and bool(known and stated) and known != stated


def _stated_by_invoice(notice: InvoiceNotice, stamp: Stamp) -> TransferRegisters:
    """Return what an invoice's webhook states of its transfer. The transfer's own webhooks outrank it."""
    return TransferRegisters(
        invoice_id=register(stamp, notice.invoice_id),
        hash=register(stamp, notice.transaction_hash),
        from_address=register(stamp, notice.from_address),
        to_address=register(stamp, notice.to_address),
        block_number=register(stamp, notice.block_number),
    )


def _stated_by_transfer(notice: TransferNotice, stamp: Stamp) -> TransferRegisters:
    return TransferRegisters(
        invoice_id=register(stamp, notice.invoice_id),
        reference=register(stamp, notice.reference),
        transaction_id=register(stamp, notice.transaction_id),
        customer_id=register(stamp, notice.customer_id),
        state=register(stamp, notice.state),
        amount=register(stamp, notice.amount),
        asset=register(stamp, notice.asset),
        hash=register(stamp, notice.hash),
        from_address=register(stamp, notice.from_address),
        to_address=register(stamp, notice.to_address),
        block_number=register(stamp, notice.block_number),
        reason=register(stamp, notice.reason),
        changed_at=register(stamp, notice.changed_at),
    )


def _stated(notice: InvoiceNotice, stamp: Stamp) -> InvoiceRegisters:
    """Return the registers of an invoice's webhook, without those of a state of UNSUCCESSFUL only.

    Any other cash amount outranks 0, in whatever order both come.
    """
    cash = stamp if notice.cash_amount else stamp._replace(rank=-1)
    end = EndRegisters() if notice.state in UNSUCCESSFUL else _end(notice, stamp)
    return InvoiceRegisters(
        received_amount=end.received_amount,
        expected_amount=end.expected_amount,
        reason=end.reason,
        expired_at=end.expired_at,
        completed_at=end.completed_at,
        invoice_id=register(stamp, notice.invoice_id),
        customer_id=register(stamp, notice.customer_id),
        customer_name=register(stamp, notice.customer_name),
        state=register(stamp, notice.state),
        previous_state=register(stamp, notice.previous_state),
        title=register(stamp, notice.title),
        cash_amount=register(cash, notice.cash_amount),
        cash_currency=register(cash, None if notice.cash_amount is None else notice.cash_currency),
        crypto_amount=register(stamp, notice.crypto_amount),
        crypto_asset=register(stamp, notice.crypto_asset),
        transaction_id=register(stamp, notice.transaction_id),
        transaction_hash=register(stamp, notice.transaction_hash),
        from_address=register(stamp, notice.from_address),
        to_address=register(stamp, notice.to_address),
        block_number=register(stamp, notice.block_number),
    )


def _end(notice: InvoiceNotice, stamp: Stamp) -> EndRegisters:
    return EndRegisters(
        received_amount=register(stamp, notice.received_amount),
        expected_amount=register(stamp, notice.expected_amount),
        reason=register(stamp, notice.reason),
        expired_at=register(stamp, notice.expired_at),
        completed_at=register(stamp, notice.completed_at),
    )


def _with_end(ends: Mapping[str, EndRegisters], notice: InvoiceNotice, stamp: Stamp) -> Mapping[str, EndRegisters]:
    known = ends.get(notice.state, EndRegisters())
    return {**ends, notice.state: registers.merge(known, _end(notice, stamp))}


def _with_transfer(current: InvoiceRegisters, transfer: Transfer | None) -> InvoiceRegisters:
    """Return the registers with what an invoice takes from its transfer while no webhook of its own states it."""
    if transfer is None:
        return current
    stated = transfer.registers
    taken = InvoiceRegisters(customer_id=stated.customer_id, transaction_id=stated.transaction_id)
    return registers.merge(current, taken)
