"""The invoice processor's handler: in one transaction, lock rows, apply the webhooks, add credits, save.

Rows are locked in this order: transfers, invoices, customers.
"""

from collections.abc import Mapping, MutableMapping, Sequence

from sqlalchemy import Connection

from processors.invoice import store
from processors.invoice.domain import (
    Invoice,
    Transfer,
    apply,
    apply_to_transfer,
    contradicts,
    credits_in,
    with_balances,
)
from runtime.logging import log
from stream.events import InvoiceWebhook, OutcomeKind, TransferWebhook
from stream.state.fold import Result

InvoiceInput = InvoiceWebhook | TransferWebhook


def handle(tx: Connection, webhooks: Sequence[InvoiceInput]) -> list[Result]:
    """Apply new webhooks in order; one result each.

    A transfer that names no invoice is on another partition than its invoice, so two workers may process them at once.
    Both lock the transfer's row first, which serializes them.
    """
    notices = [webhook.notice for webhook in webhooks]
    transfers = store.lock_transfers(tx, sorted({notice.transaction_id for notice in notices if notice.transaction_id}))
    paid = {transfer.invoice_id for transfer in transfers.values()}
    named = {notice.invoice_id for notice in notices}
    invoices = store.lock_invoices(tx, sorted(invoice_id for invoice_id in paid | named if invoice_id))
    unpaired = [name for name, transfer in transfers.items() if transfer.invoice_id is None]
    results = _add_credits(tx, [advance(transfers, invoices, webhook) for webhook in webhooks])
    store.save_transfers(tx, transfers.values())
    last = {webhook.notice.invoice_id: webhook for webhook in webhooks if isinstance(webhook, InvoiceWebhook)}
    store.save_invoices(tx, invoices.values(), last)
    store.record(tx, [(w, _invoice_of(w, transfers), r) for w, r in zip(webhooks, results, strict=True)])
    store.backfill(tx, [(name, found) for name in unpaired if (found := transfers[name].invoice_id)])
    return results


def advance(
    transfers: MutableMapping[str, Transfer], invoices: MutableMapping[str, Invoice], webhook: InvoiceInput
) -> Result:
    """Apply a webhook to the transfer that it names, then to the invoice that it names or that the transfer pays."""
    transaction_id = webhook.notice.transaction_id
    transfer_outcome: OutcomeKind = "processed"
    if transaction_id:
        transfers[transaction_id], transfer_outcome = apply_to_transfer(transfers[transaction_id], webhook)
    invoice_id = _invoice_of(webhook, transfers)
    if invoice_id is None:
        return Result(transaction_id or webhook.envelope.event_id, transfer_outcome, ())
    transfer = transfers.get(transaction_id or "")
    if isinstance(webhook, InvoiceWebhook) and contradicts(invoices[invoice_id], webhook):
        amounts = {
            "amount": webhook.notice.cash_amount,
            "known_amount": invoices[invoice_id].registers.cash_amount.value,
        }
        log.warning("invoice.contradicted", invoice_id=invoice_id, **amounts)
    invoices[invoice_id], outcome, events = apply(invoices[invoice_id], transfer, webhook)
    return Result(invoice_id, outcome if isinstance(webhook, InvoiceWebhook) else transfer_outcome, events)


def _invoice_of(webhook: InvoiceInput, transfers: Mapping[str, Transfer]) -> str | None:
    transfer = transfers.get(webhook.notice.transaction_id or "")
    return webhook.notice.invoice_id or (transfer.invoice_id if transfer else None)


def _add_credits(tx: Connection, results: list[Result]) -> list[Result]:
    """Add the credits of the events to publish to the ledger, and return the results with the balances set."""
    customers = sorted({credit.customer_id or "" for credit in credits_in(results)})
    if not customers:
        return results
    results = with_balances(results, store.lock_balances(tx, customers))
    store.add_credits(tx, credits_in(results))
    return results
