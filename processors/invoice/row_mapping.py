"""The values of the invoice processor's columns, made from invoices, transfers, credits and webhooks.

Each function returns the values of one table's rows, in the order of its first argument.
"""

from collections.abc import Mapping, Sequence

from processors.invoice.domain import Invoice, InvoiceInput, Transfer
from stream.events import CreditAdded, InvoiceWebhook
from stream.state import registers
from stream.state.fold import Result
from stream.state.json_payload import as_metadata
from stream.store.statements import ColumnValues

AppliedWebhook = tuple[InvoiceInput, str | None, Result]
"""A webhook, the id of its invoice (None while unknown), and its result."""


def transfer_columns(transfers: Sequence[Transfer]) -> ColumnValues:
    states = [transfer.registers for transfer in transfers]
    return {
        "transaction_id": [transfer.transaction_id for transfer in transfers],
        "invoice_id": [state.invoice_id.value for state in states],
        "customer_id": [state.customer_id.value for state in states],
        "state": [state.state.value for state in states],
        "amount": [state.amount.value for state in states],
        "asset": [state.asset.value for state in states],
        "hash": [state.hash.value for state in states],
        "from_address": [state.from_address.value for state in states],
        "to_address": [state.to_address.value for state in states],
        "block_number": [state.block_number.value for state in states],
        "reason": [state.reason.value for state in states],
        "changed_at": [state.changed_at.value for state in states],
        "version": [transfer.version for transfer in transfers],
        "registers": [registers.dump(state) for state in states],
    }


def invoice_columns(invoices: Sequence[Invoice], last_webhooks: Mapping[str, InvoiceWebhook]) -> ColumnValues:
    """Return the values of `invoices`.

    `last_webhooks` holds the last webhook of each in the batch, by invoice id; `metadata` is None without one.
    """
    states = [invoice.registers for invoice in invoices]
    webhooks = [last_webhooks.get(invoice.invoice_id) for invoice in invoices]
    return {
        "invoice_id": [invoice.invoice_id for invoice in invoices],
        "customer_id": [state.customer_id.value for state in states],
        "customer_name": [state.customer_name.value for state in states],
        "state": [state.state.value for state in states],
        "title": [state.title.value for state in states],
        "cash_amount": [state.cash_amount.value for state in states],
        "cash_currency": [state.cash_currency.value for state in states],
        "crypto_amount": [state.crypto_amount.value for state in states],
        "crypto_asset": [state.crypto_asset.value for state in states],
        "received_amount": [invoice.received_amount for invoice in invoices],
        "expected_amount": [invoice.expected_amount for invoice in invoices],
        "reason": [invoice.reason for invoice in invoices],
        "transaction_id": [state.transaction_id.value for state in states],
        "completed_at": [invoice.completed_at for invoice in invoices],
        "expired_at": [invoice.expired_at for invoice in invoices],
        "metadata": [as_metadata(webhook.envelope.raw) if webhook else None for webhook in webhooks],
        "version": [invoice.version for invoice in invoices],
        "registers": [invoice.dump() for invoice in invoices],
    }


def credit_columns(credits_: Sequence[CreditAdded]) -> ColumnValues:
    return {
        "entry_id": [credit.entry_id for credit in credits_],
        "customer_id": [credit.customer_id for credit in credits_],
        "invoice_id": [credit.invoice_id for credit in credits_],
        "amount": [credit.amount for credit in credits_],
        "currency": [credit.currency for credit in credits_],
    }


def history_columns(applied: Sequence[AppliedWebhook]) -> ColumnValues:
    envelopes = [webhook.envelope for webhook, _, _ in applied]
    payloads = [webhook.payload for webhook, _, _ in applied]
    return {
        "event_id": [envelope.event_id for envelope in envelopes],
        "kind": ["invoice" if isinstance(webhook, InvoiceWebhook) else "transfer" for webhook, _, _ in applied],
        "invoice_id": [invoice_id for _, invoice_id, _ in applied],
        "transaction_id": [payload.transaction_id for payload in payloads],
        "state": [payload.state for payload in payloads],
        "previous_state": [_previous_state(webhook) for webhook, _, _ in applied],
        "outcome": [result.outcome for _, _, result in applied],
        "occurred_at": [envelope.occurred_at for envelope in envelopes],
        "received_at": [envelope.received_at for envelope in envelopes],
        "payload": [envelope.raw for envelope in envelopes],
    }


def _previous_state(webhook: InvoiceInput) -> str | None:
    return webhook.payload.previous_state if isinstance(webhook, InvoiceWebhook) else None
