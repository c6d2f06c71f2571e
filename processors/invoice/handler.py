"""The invoice processor's handler: in one transaction, lock rows, apply the webhooks, add credits, save.

Rows are locked in this order: transfers, invoices, customers.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from processors.invoice import store
from processors.invoice.domain import InvoiceInput, InvoiceWorkingSet, contradicts, credits_in, with_balances
from runtime.logging import log
from stream.events import InvoiceWebhook
from stream.state.fold import Result


def handle(tx: Connection, webhooks: Sequence[InvoiceInput]) -> list[Result]:
    """Apply new webhooks in order, save invoices, transfers, credits and history, and return one result each.

    The caller commits `tx`. A transfer that names no invoice is on another partition than its invoice, so two workers
    may process them at once. Both lock the transfer's row first, which serializes them.
    """
    payloads = [webhook.payload for webhook in webhooks]
    transfers = store.lock_transfers(tx, {payload.transaction_id for payload in payloads if payload.transaction_id})
    paid = {transfer.invoice_id for transfer in transfers.values()}
    named = {payload.invoice_id for payload in payloads}
    invoices = store.lock_invoices(tx, set(filter(None, paid | named)))
    working_set = InvoiceWorkingSet(invoices, transfers)
    results = _add_credits(tx, [_apply(working_set, webhook) for webhook in webhooks])
    _save(tx, working_set, list(zip(webhooks, results, strict=True)))
    return results


def _apply(working_set: InvoiceWorkingSet, webhook: InvoiceInput) -> Result:
    """Apply a webhook; log a warning first if it contradicts the amount that was credited."""
    invoice = working_set.invoices.get(working_set.invoice_of(webhook) or "")
    if invoice and isinstance(webhook, InvoiceWebhook) and contradicts(invoice, webhook):
        amounts = {"amount": webhook.payload.cash_amount, "known_amount": invoice.registers.cash_amount.value}
        log.warning("invoice.contradicted", invoice_id=invoice.invoice_id, **amounts)
    return working_set.apply(webhook)


def _add_credits(tx: Connection, results: list[Result]) -> list[Result]:
    """Insert the credits of the results into the ledger; return the results with the credits' balances set."""
    customers = {credit.customer_id or "" for credit in credits_in(results)}
    if not customers:
        return results
    results = with_balances(results, store.lock_balances(tx, customers))
    store.add_credits(tx, credits_in(results))
    return results


def _save(tx: Connection, working_set: InvoiceWorkingSet, applied: Sequence[tuple[InvoiceInput, Result]]) -> None:
    invoice_webhooks = [webhook for webhook, _ in applied if isinstance(webhook, InvoiceWebhook)]
    last_webhooks = {webhook.payload.invoice_id: webhook for webhook in invoice_webhooks}
    store.save_transfers(tx, working_set.transfers.values())
    store.save_invoices(tx, working_set.invoices.values(), last_webhooks)
    store.record(tx, [(webhook, working_set.invoice_of(webhook), result) for webhook, result in applied])
    store.backfill(tx, working_set.newly_paired)
