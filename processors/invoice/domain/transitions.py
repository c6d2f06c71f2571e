"""Apply a webhook to an invoice or a transfer. The result does not depend on the order in which webhooks arrive."""

from dataclasses import replace

import msgspec

from processors.invoice.domain.invoice import (
    END_FIELDS,
    TRANSFERS,
    TRANSITIONS,
    UNSUCCESSFUL,
    Invoice,
    Transfer,
    above_transfers,
)
from stream.events import InvoiceNotice, InvoiceWebhook, OutcomeKind, TransferWebhook
from stream.state import registers
from stream.state.registers import Registers, Stamp

TRANSFER_FIELDS = ("customer_id", "transaction_id")
"""Fields that an invoice takes from its transfers while no webhook of its own states them."""


def apply_to_transfer(transfer: Transfer, webhook: InvoiceWebhook | TransferWebhook) -> tuple[Transfer, OutcomeKind]:
    """Apply a webhook of a transfer, or of an invoice that names it; return the transfer and the webhook's outcome."""
    if isinstance(webhook, InvoiceWebhook):
        stamp = (-1, webhook.envelope.occurred_at or 0, 0, webhook.envelope.event_id)
        current = registers.update(transfer.told, stamp, _transfer_fields(webhook.notice))
        return replace(transfer, told=current), "processed"
    notice, envelope = webhook.notice, webhook.envelope
    stamp = registers.stamp(TRANSFERS, notice.state, envelope.occurred_at, envelope.event_id)
    current = registers.update(transfer.told, stamp, msgspec.structs.asdict(notice))
    return replace(transfer, version=transfer.version + 1, told=current), _outcome(transfer.told, stamp)


def apply_to_invoice(
    invoice: Invoice, transfer: Transfer | None, webhook: InvoiceWebhook | TransferWebhook
) -> tuple[Invoice, OutcomeKind]:
    """Apply a webhook of an invoice, or of the `transfer` that pays it; return the invoice and the outcome."""
    current, version = _with_transfer_fields(invoice.told, transfer), invoice.version
    outcome: OutcomeKind = "processed"
    if isinstance(webhook, InvoiceWebhook):
        version += 1  # a transfer's webhooks are counted by the transfer, as it may find its invoice only later
        envelope, notice = webhook.envelope, webhook.notice
        stamp = above_transfers(registers.stamp(TRANSITIONS, notice.state, envelope.occurred_at, envelope.event_id))
        outcome = _outcome(invoice.told, stamp)
        current = registers.update(current, stamp, _fields(webhook))
        if notice.cash_amount == 0:
            current = registers.update(current, (-1, *stamp[1:]), _zero_cash(notice))
    return replace(invoice, version=version, told=current), outcome


def contradicts(invoice: Invoice, webhook: InvoiceWebhook) -> bool:
    """Return whether a webhook completes a completed invoice with another amount. It is credited only once (ADR 22)."""
    known, stated = invoice.known("cash_amount"), webhook.notice.cash_amount
    return invoice.state == webhook.notice.state == "Complete" and bool(known and stated) and known != stated


def _transfer_fields(notice: InvoiceNotice) -> dict[str, object]:
    """Return the transfer's fields that an invoice's webhook states. The transfer's own webhooks outrank them."""
    return {
        "invoice_id": notice.invoice_id,
        "hash": notice.transaction_hash,
        "from_address": notice.from_address,
        "to_address": notice.to_address,
        "block_number": notice.block_number,
    }


def _zero_cash(notice: InvoiceNotice) -> dict[str, object]:
    """Return the cash fields of a webhook with amount 0. Any other amount outranks 0 in whatever order both come."""
    return {"cash_amount": notice.cash_amount, "cash_currency": notice.cash_currency}


def _fields(webhook: InvoiceWebhook) -> dict[str, object]:
    fields = msgspec.structs.asdict(webhook.notice)
    if not webhook.notice.cash_amount:
        del fields["cash_amount"], fields["cash_currency"]
    if webhook.notice.state not in UNSUCCESSFUL:
        return fields
    state = webhook.notice.state
    return {f"{name}:{state}" if name in END_FIELDS else name: value for name, value in fields.items()}


def _with_transfer_fields(current: Registers, transfer: Transfer | None) -> Registers:
    for name in TRANSFER_FIELDS:
        if transfer and name in transfer.told:
            stamp, value = transfer.told[name]
            current = registers.update(current, stamp, {name: value})
    return current


def _outcome(current: Registers, stamp: Stamp) -> OutcomeKind:
    return "late" if stamp < current.get("state", (registers.UNSET,))[0] else "processed"
