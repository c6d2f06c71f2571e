"""The invoices and transfers of one batch, and the effect of each webhook on both."""

from collections.abc import MutableMapping
from dataclasses import dataclass, field

from processors.invoice.domain.domain_events import apply
from processors.invoice.domain.invoice import Invoice, Transfer
from processors.invoice.domain.transitions import apply_to_transfer
from stream.events import InvoiceWebhook, OutcomeKind, TransferWebhook
from stream.state.fold import Result

InvoiceInput = InvoiceWebhook | TransferWebhook


@dataclass(slots=True)
class InvoiceWorkingSet:
    """The invoices and transfers that a batch may change; `apply` replaces the entries that it changes.

    `transfers` must hold an entry for every transfer that the batch names, and `invoices` one for every invoice that
    the batch names or that one of these transfers pays.
    """

    invoices: MutableMapping[str, Invoice]
    transfers: MutableMapping[str, Transfer]
    _transfers_before: dict[str, Transfer] = field(init=False)

    def __post_init__(self) -> None:
        self._transfers_before = dict(self.transfers)

    @property
    def newly_paired(self) -> list[tuple[str, str]]:
        """The (transaction id, invoice id) of each transfer whose invoice was unknown when the working set was made."""
        return [
            (transaction_id, transfer.invoice_id)
            for transaction_id, transfer in self.transfers.items()
            if transfer.invoice_id and self._transfers_before[transaction_id].invoice_id is None
        ]

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
