"""Apply a webhook to an invoice or a transfer. The state does not depend on the order in which webhooks arrive."""

from collections.abc import Mapping
from dataclasses import replace

from processors.invoice.domain.invoice import Invoice, Transfer
from processors.invoice.domain.invoice_registers import (
    EndRegisters,
    InvoiceRegisters,
    TransferRegisters,
    above_transfers,
)
from processors.invoice.domain.statuses import TRANSFER_TRANSITIONS, TRANSITIONS, UNSUCCESSFUL
from stream.events import InvoicePayload, InvoiceWebhook, OutcomeKind, TransferPayload, TransferWebhook
from stream.state import registers
from stream.state.registers import NO_TIME, Stamp, register


def apply_to_transfer(transfer: Transfer, webhook: InvoiceWebhook | TransferWebhook) -> tuple[Transfer, OutcomeKind]:
    """Return the transfer after a webhook of it or of an invoice that names it, and the webhook's outcome.

    A transfer's webhook is `late` if its state comes before the present one. An invoice's webhook is always
    `processed` here and does not raise `version`.
    """
    envelope = webhook.envelope
    if isinstance(webhook, InvoiceWebhook):
        stamp = Stamp(-1, envelope.occurred_at or NO_TIME, 0, envelope.event_id)
        merged = registers.merge(transfer.registers, _stated_by_invoice(webhook.payload, stamp))
        return replace(transfer, registers=merged), "processed"
    stamp = registers.stamp(TRANSFER_TRANSITIONS, webhook.payload.state, envelope.occurred_at, envelope.event_id)
    outcome: OutcomeKind = "late" if stamp < transfer.registers.state.stamp else "processed"
    merged = registers.merge(transfer.registers, _stated_by_transfer(webhook.payload, stamp))
    return replace(transfer, version=transfer.version + 1, registers=merged), outcome


def apply_to_invoice(
    invoice: Invoice, transfer: Transfer | None, webhook: InvoiceWebhook | TransferWebhook
) -> tuple[Invoice, OutcomeKind]:
    """Return the invoice after a webhook of it or of the `transfer` that pays it, and the webhook's outcome.

    Of the transfer (None: not known) only the customer and the transaction id are taken, where no webhook of the
    invoice states them; it changes neither the state nor an amount. An invoice's webhook is `late` if its state comes
    before the present one; it raises `version` all the same. A transfer's webhook is always `processed` here and does
    not raise `version`.
    """
    merged = _with_transfer(invoice.registers, transfer)
    if not isinstance(webhook, InvoiceWebhook):
        # A transfer's webhooks are counted by the transfer, as it may find its invoice only later.
        return replace(invoice, registers=merged), "processed"
    payload, envelope = webhook.payload, webhook.envelope
    stamp = above_transfers(registers.stamp(TRANSITIONS, payload.state, envelope.occurred_at, envelope.event_id))
    outcome: OutcomeKind = "late" if stamp < invoice.registers.state.stamp else "processed"
    ends = _with_end(invoice.ends, payload, stamp) if payload.state in UNSUCCESSFUL else invoice.ends
    merged = registers.merge(merged, _stated(payload, stamp))
    return replace(invoice, version=invoice.version + 1, registers=merged, ends=ends), outcome


def contradicts(invoice: Invoice, webhook: InvoiceWebhook) -> bool:
    """Return whether a webhook completes a complete invoice with another cash amount; False if either is 0 or unknown.

    An invoice is credited only once, so the second amount is not credited (ADR 22).
    """
    known, stated = invoice.registers.cash_amount.value, webhook.payload.cash_amount
    return invoice.state == webhook.payload.state == "Complete" and bool(known and stated) and known != stated


def _stated_by_invoice(payload: InvoicePayload, stamp: Stamp) -> TransferRegisters:
    """Return the registers that an invoice's webhook states of its transfer, with a stamp below the transfer's own."""
    return TransferRegisters(
        invoice_id=register(stamp, payload.invoice_id),
        hash=register(stamp, payload.transaction_hash),
        from_address=register(stamp, payload.from_address),
        to_address=register(stamp, payload.to_address),
        block_number=register(stamp, payload.block_number),
    )


def _stated_by_transfer(payload: TransferPayload, stamp: Stamp) -> TransferRegisters:
    return TransferRegisters(
        invoice_id=register(stamp, payload.invoice_id),
        alias=register(stamp, payload.alias),
        transaction_id=register(stamp, payload.transaction_id),
        customer_id=register(stamp, payload.customer_id),
        state=register(stamp, payload.state),
        amount=register(stamp, payload.amount),
        asset=register(stamp, payload.asset),
        hash=register(stamp, payload.hash),
        from_address=register(stamp, payload.from_address),
        to_address=register(stamp, payload.to_address),
        block_number=register(stamp, payload.block_number),
        reason=register(stamp, payload.reason),
        changed_at=register(stamp, payload.changed_at),
    )


def _stated(payload: InvoicePayload, stamp: Stamp) -> InvoiceRegisters:
    """Return the registers of an invoice's webhook, without those of EndRegisters if its state is in UNSUCCESSFUL.

    Any other cash amount outranks 0, in whatever order both come.
    """
    cash = stamp if payload.cash_amount else stamp._replace(rank=-1)
    end = EndRegisters() if payload.state in UNSUCCESSFUL else _end(payload, stamp)
    return InvoiceRegisters(
        received_amount=end.received_amount,
        expected_amount=end.expected_amount,
        reason=end.reason,
        expired_at=end.expired_at,
        completed_at=end.completed_at,
        invoice_id=register(stamp, payload.invoice_id),
        customer_id=register(stamp, payload.customer_id),
        customer_name=register(stamp, payload.customer_name),
        state=register(stamp, payload.state),
        previous_state=register(stamp, payload.previous_state),
        title=register(stamp, payload.title),
        cash_amount=register(cash, payload.cash_amount),
        cash_currency=register(cash, None if payload.cash_amount is None else payload.cash_currency),
        crypto_amount=register(stamp, payload.crypto_amount),
        crypto_asset=register(stamp, payload.crypto_asset),
        transaction_id=register(stamp, payload.transaction_id),
        transaction_hash=register(stamp, payload.transaction_hash),
        from_address=register(stamp, payload.from_address),
        to_address=register(stamp, payload.to_address),
        block_number=register(stamp, payload.block_number),
    )


def _end(payload: InvoicePayload, stamp: Stamp) -> EndRegisters:
    return EndRegisters(
        received_amount=register(stamp, payload.received_amount),
        expected_amount=register(stamp, payload.expected_amount),
        reason=register(stamp, payload.reason),
        expired_at=register(stamp, payload.expired_at),
        completed_at=register(stamp, payload.completed_at),
    )


def _with_end(ends: Mapping[str, EndRegisters], payload: InvoicePayload, stamp: Stamp) -> Mapping[str, EndRegisters]:
    known = ends.get(payload.state, EndRegisters())
    return {**ends, payload.state: registers.merge(known, _end(payload, stamp))}


def _with_transfer(current: InvoiceRegisters, transfer: Transfer | None) -> InvoiceRegisters:
    """Return the registers with the transfer's customer and transaction id, where the invoice's webhooks state none."""
    if transfer is None:
        return current
    stated = transfer.registers
    of_transfer = InvoiceRegisters(customer_id=stated.customer_id, transaction_id=stated.transaction_id)
    return registers.merge(current, of_transfer)
