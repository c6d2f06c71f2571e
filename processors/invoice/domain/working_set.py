"""The invoices and transfers of one batch, and the effect of each webhook on both."""

from collections.abc import MutableMapping
from dataclasses import dataclass

from processors.invoice.domain.domain_events import apply
from processors.invoice.domain.invoice import Invoice, Transfer
from processors.invoice.domain.transitions import apply_to_transfer
from stream.events import InvoiceWebhook, OutcomeKind, TransferWebhook
from stream.state.fold import Result

InvoiceInput = InvoiceWebhook | TransferWebhook


@dataclass(frozen=True, slots=True)
class InvoiceWorkingSet:
    """The state of every invoice and transfer that the webhooks of a batch concern."""

    invoices: MutableMapping[str, Invoice]
    transfers: MutableMapping[str, Transfer]

    def apply(self, webhook: InvoiceInput) -> Result:
        """Apply a webhook to the transfer that it names, then to the invoice that it names or that the transfer pays.

        While the invoice is unknown, only the transfer changes and no event is published. Raises KeyError when the
        working set lacks the transfer or the invoice.
        """
        transaction_id = webhook.payload.transaction_id
        transfer_outcome: OutcomeKind = "processed"
        if transaction_id:
            changed = apply_to_transfer(self.transfers[transaction_id], webhook)
            self.transfers[transaction_id], transfer_outcome = changed
        invoice_id = self.invoice_of(webhook)
        if invoice_id is None:
            return Result(transaction_id or webhook.envelope.event_id, transfer_outcome, ())
        transfer = self.transfers.get(transaction_id or "")
        self.invoices[invoice_id], outcome, events = apply(self.invoices[invoice_id], transfer, webhook)
        return Result(invoice_id, outcome if isinstance(webhook, InvoiceWebhook) else transfer_outcome, events)

    def invoice_of(self, webhook: InvoiceInput) -> str | None:
        """Return the id of the invoice that a webhook names, or that its transfer pays; None while it is unknown."""
        transfer = self.transfers.get(webhook.payload.transaction_id or "")
        return webhook.payload.invoice_id or (transfer.invoice_id if transfer else None)
