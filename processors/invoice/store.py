"""All SQL of the invoice processor. Each batch runs one statement per table, with an array per column.

Transfers are locked first, then invoices, then customers, each in the order of their ids.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from processors.invoice.domain import Invoice, Transfer, TransferRegisters
from runtime.clock import to_datetime
from stream.events import CreditAdded, InvoiceWebhook, TransferWebhook
from stream.state import registers
from stream.state.fold import Result
from stream.state.json_payload import as_json
from stream.store.bulk_sql import write

INSERT_TRANSFERS = "INSERT INTO transfers (transaction_id) SELECT unnest(%(ids)b::text[]) ON CONFLICT DO NOTHING"

LOCK_TRANSFERS = """
SELECT transaction_id, version, registers::text FROM transfers
 WHERE transaction_id = ANY (%(ids)b::text[]) ORDER BY transaction_id FOR UPDATE
"""

INSERT_INVOICES = "INSERT INTO invoices (invoice_id) SELECT unnest(%(ids)b::text[]) ON CONFLICT DO NOTHING"

LOCK_INVOICES = """
SELECT invoice_id, version, registers::text FROM invoices
 WHERE invoice_id = ANY (%(ids)b::text[]) ORDER BY invoice_id FOR UPDATE
"""

INSERT_CUSTOMERS = "INSERT INTO customers (customer_id) SELECT unnest(%(ids)b::text[]) ON CONFLICT DO NOTHING"

LOCK_CUSTOMERS = "SELECT 1 FROM customers WHERE customer_id = ANY (%(ids)b::text[]) ORDER BY customer_id FOR UPDATE"

BALANCES = """
SELECT customer_id, currency, sum(amount)::bigint FROM credits
 WHERE customer_id = ANY (%(ids)b::text[]) GROUP BY customer_id, currency
"""

ENTER = """
INSERT INTO credits (entry_id, customer_id, invoice_id, amount, currency)
SELECT entry_id::uuid, customer_id, invoice_id, amount, currency
  FROM unnest(%(ids)b::text[], %(customers)b::text[], %(invoices)b::text[], %(amounts)b::bigint[],
              %(currencies)b::text[]) AS entered (entry_id, customer_id, invoice_id, amount, currency)
"""

SAVE_TRANSFERS = """
UPDATE transfers SET
    invoice_id = saved.invoice_id, customer_id = saved.customer_id, state = saved.state, amount = saved.amount,
    asset = saved.asset, hash = saved.hash, from_address = saved.from_address, to_address = saved.to_address,
    block_number = saved.block_number, reason = saved.reason, changed_at = saved.changed_at,
    version = saved.version, registers = saved.registers::json, updated_at = now()
  FROM unnest(%(ids)b::text[], %(invoices)b::text[], %(customers)b::text[], %(states)b::text[], %(amounts)b::text[],
              %(assets)b::text[], %(hashes)b::text[], %(froms)b::text[], %(tos)b::text[], %(blocks)b::bigint[],
              %(reasons)b::text[], %(changes)b::timestamptz[], %(versions)b::int[], %(registers)b::text[])
       AS saved (transaction_id, invoice_id, customer_id, state, amount, asset, hash, from_address, to_address,
                 block_number, reason, changed_at, version, registers)
 WHERE transfers.transaction_id = saved.transaction_id
"""
TRANSFER_COLUMNS = (
    "ids invoices customers states amounts assets hashes froms tos blocks reasons changes versions registers"
)

SAVE_INVOICES = """
UPDATE invoices SET
    customer_id = saved.customer_id, customer_name = saved.customer_name, state = saved.state, title = saved.title,
    cash_amount = saved.cash_amount, cash_currency = saved.cash_currency, crypto_amount = saved.crypto_amount,
    crypto_asset = saved.crypto_asset, received_amount = saved.received_amount,
    expected_amount = saved.expected_amount, reason = saved.reason, transaction_id = saved.transaction_id,
    completed_at = saved.completed_at, expired_at = saved.expired_at,
    metadata = coalesce(saved.metadata::json, invoices.metadata),
    version = saved.version, registers = saved.registers::json, updated_at = now()
  FROM unnest(%(ids)b::text[], %(customers)b::text[], %(names)b::text[], %(states)b::text[], %(titles)b::text[],
              %(cash)b::bigint[], %(currencies)b::text[], %(cryptos)b::text[], %(assets)b::text[],
              %(received)b::text[], %(expected)b::text[], %(reasons)b::text[], %(transactions)b::text[],
              %(completed)b::timestamptz[], %(expired)b::timestamptz[], %(metadatas)b::text[], %(versions)b::int[],
              %(registers)b::text[])
       AS saved (invoice_id, customer_id, customer_name, state, title, cash_amount, cash_currency, crypto_amount,
                 crypto_asset, received_amount, expected_amount, reason, transaction_id, completed_at, expired_at,
                 metadata, version, registers)
 WHERE invoices.invoice_id = saved.invoice_id
"""
INVOICE_COLUMNS = (
    "ids customers names states titles cash currencies cryptos assets received expected reasons transactions "
    "completed expired metadatas versions registers"
)

RECORD = """
INSERT INTO invoice_history (event_id, kind, invoice_id, transaction_id, state, previous_state, outcome, occurred_at,
                             received_at, payload)
SELECT * FROM unnest(%(events)b::text[]::uuid[], %(kinds)b::text[], %(invoices)b::text[], %(transactions)b::text[],
                     %(states)b::text[], %(previous)b::text[], %(outcomes)b::text[], %(occurred)b::timestamptz[],
                     %(received)b::timestamptz[], %(payloads)b::bytea[])
"""
BACKFILL = """
UPDATE invoice_history SET invoice_id = found.invoice_id
  FROM unnest(%(transactions)b::text[], %(ids)b::text[]) AS found (transaction_id, invoice_id)
 WHERE invoice_history.transaction_id = found.transaction_id AND invoice_history.invoice_id IS NULL
"""
HISTORY_COLUMNS = "events kinds invoices transactions states previous outcomes occurred received payloads"


def lock_transfers(tx: Connection, transaction_ids: Sequence[str]) -> dict[str, Transfer]:
    """Lock these transfers until the transaction ends, and return them. `transaction_ids` must be sorted."""
    if not transaction_ids:
        return {}
    ids = {"ids": list(transaction_ids)}
    tx.exec_driver_sql(INSERT_TRANSFERS, ids)
    rows = tx.exec_driver_sql(LOCK_TRANSFERS, ids)
    return {name: Transfer(name, version, registers.load(TransferRegisters, text)) for name, version, text in rows}


def lock_invoices(tx: Connection, invoice_ids: Sequence[str]) -> dict[str, Invoice]:
    """Lock these invoices until the transaction ends, and return them. `invoice_ids` must be sorted."""
    if not invoice_ids:
        return {}
    ids = {"ids": list(invoice_ids)}
    tx.exec_driver_sql(INSERT_INVOICES, ids)
    rows = tx.exec_driver_sql(LOCK_INVOICES, ids)
    return {name: Invoice.load(name, version, text) for name, version, text in rows}


def lock_balances(tx: Connection, customer_ids: Sequence[str]) -> dict[tuple[str, str], int]:
    """Lock these customers; return balances in minor units by (customer, currency). `customer_ids` must be sorted."""
    if not customer_ids:
        return {}
    ids = {"ids": list(customer_ids)}
    tx.exec_driver_sql(INSERT_CUSTOMERS, ids)
    tx.exec_driver_sql(LOCK_CUSTOMERS, ids)
    return {(customer_id, currency): sum_ for customer_id, currency, sum_ in tx.exec_driver_sql(BALANCES, ids)}


def add_credits(tx: Connection, credits_: Iterable[CreditAdded]) -> None:
    """Insert credits into the ledger. Raises IntegrityError for the second credit of an invoice."""
    rows = [
        (credit.entry_id, credit.customer_id, credit.invoice_id, credit.amount, credit.currency) for credit in credits_
    ]
    write(tx, ENTER, "ids customers invoices amounts currencies", rows)


def save_transfers(tx: Connection, transfers: Iterable[Transfer]) -> None:
    """Write the transfers to their locked rows."""
    write(tx, SAVE_TRANSFERS, TRANSFER_COLUMNS, [_transfer_row(transfer) for transfer in transfers])


def save_invoices(tx: Connection, invoices: Iterable[Invoice], last: Mapping[str, InvoiceWebhook]) -> None:
    """Write the invoices, each with its own last webhook in the batch if there is one."""
    rows = [_invoice_row(invoice, last.get(invoice.invoice_id)) for invoice in invoices]
    write(tx, SAVE_INVOICES, INVOICE_COLUMNS, rows)


def record(tx: Connection, applied: Iterable[tuple[InvoiceWebhook | TransferWebhook, str | None, Result]]) -> None:
    """Insert every applied webhook into the history with its bytes and its invoice, late ones included."""
    write(tx, RECORD, HISTORY_COLUMNS, [_history_row(*row) for row in applied])


def backfill(tx: Connection, paired: Sequence[tuple[str, str]]) -> None:
    """Set the invoice in the history of transfers received before it; `paired` holds (transaction id, invoice id)."""
    write(tx, BACKFILL, "transactions ids", paired)


def _transfer_row(transfer: Transfer) -> tuple[object, ...]:
    state = transfer.registers
    return (
        transfer.transaction_id,
        state.invoice_id.value,
        state.customer_id.value,
        state.state.value,
        state.amount.value,
        state.asset.value,
        state.hash.value,
        state.from_address.value,
        state.to_address.value,
        state.block_number.value,
        state.reason.value,
        to_datetime(state.changed_at.value),
        transfer.version,
        registers.dump(state),
    )


def _invoice_row(invoice: Invoice, last: InvoiceWebhook | None) -> tuple[object, ...]:
    state = invoice.registers
    return (
        invoice.invoice_id,
        state.customer_id.value,
        state.customer_name.value,
        state.state.value,
        state.title.value,
        state.cash_amount.value,
        state.cash_currency.value,
        state.crypto_amount.value,
        state.crypto_asset.value,
        invoice.received_amount,
        invoice.expected_amount,
        invoice.reason,
        state.transaction_id.value,
        to_datetime(invoice.completed_at),
        to_datetime(invoice.expired_at),
        '{"webhook":' + as_json(last.envelope.raw) + "}" if last else None,
        invoice.version,
        invoice.dump(),
    )


def _history_row(
    webhook: InvoiceWebhook | TransferWebhook, invoice_id: str | None, result: Result
) -> tuple[object, ...]:
    envelope, payload = webhook.envelope, webhook.payload
    return (
        envelope.event_id,
        "invoice" if isinstance(webhook, InvoiceWebhook) else "transfer",
        invoice_id,
        payload.transaction_id,
        payload.state,
        webhook.payload.previous_state if isinstance(webhook, InvoiceWebhook) else None,
        result.outcome,
        to_datetime(envelope.occurred_at),
        to_datetime(envelope.received_at),
        envelope.raw,
    )
