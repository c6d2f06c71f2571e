"""The model of the invoice processor. Pure."""

import json
from collections.abc import Iterable

from auditor.evidence import Row
from auditor.models.expected import ExpectedStore, KeyedDefaults, Tables, event_ids, json_of
from processors.invoice import domain as invoices
from stream.events import CreditAdded, Record, ids


def invoice(events: Iterable[Record]) -> ExpectedStore:
    """Return the expected rows and domain events of the invoice processor; records of other kinds are skipped."""
    webhooks = [event for event in events if isinstance(event, invoices.InvoiceInput)]
    working_set = invoices.InvoiceWorkingSet(KeyedDefaults(invoices.Invoice), KeyedDefaults(invoices.Transfer))
    for webhook in webhooks:
        working_set.apply(webhook)
    known, types = working_set.invoices, invoices.event_types
    tables: Tables = {
        "invoices": {name: _invoice(state) for name, state in known.items()},
        "transfers": {name: _transfer(state) for name, state in working_set.transfers.items()},
        "credits": {name: _credit(state) for name, state in known.items() if CreditAdded in types(state)},
    }
    published = event_ids((kind, (name,)) for name, state in known.items() for kind in types(state))
    return ExpectedStore(tables, frozenset(webhook.envelope.event_id for webhook in webhooks), published)


def _invoice(state: invoices.Invoice) -> Row:
    return {
        "state": state.state,
        "cash_amount": state.registers.cash_amount.value,
        "cash_currency": state.registers.cash_currency.value,
        "version": state.version,
        "registers": json.loads(state.dump()),
    }


def _transfer(state: invoices.Transfer) -> Row:
    return {
        "invoice_id": state.invoice_id,
        "version": state.version,
        "registers": json_of(state.registers),
    }


def _credit(state: invoices.Invoice) -> Row:
    return {
        "entry_id": ids.domain_event_id("credit", state.invoice_id),
        "customer_id": state.registers.customer_id.value,
        "amount": state.registers.cash_amount.value,
        "currency": state.registers.cash_currency.value or "KRW",
    }
