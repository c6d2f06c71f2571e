"""All SQL of the invoice processor. Each batch runs one statement per purpose, with an array per column.

Transfers are locked first, then invoices, then customers, each in the order of their ids.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection

from processors.invoice import row_mapping
from processors.invoice.domain import Invoice, Transfer, TransferRegisters
from processors.invoice.row_mapping import AppliedWebhook
from processors.invoice.tables import credits_, customers, invoice_history, invoices, transfers
from stream.events import CreditAdded, InvoiceWebhook
from stream.state import registers
from stream.store import statements
from stream.store.statements import BulkStatement

LOCK_TRANSFERS = statements.row_lock(transfers, "version", "registers")
SAVE_TRANSFERS = statements.update(transfers)
LOCK_INVOICES = statements.row_lock(invoices, "version", "registers")
SAVE_INVOICES = statements.update(invoices, unless_null=["metadata"])
LOCK_CUSTOMERS = statements.row_lock(customers)
BALANCES = """
SELECT customer_id, currency, sum(amount)::bigint FROM credits
 WHERE customer_id = ANY (%(keys)b::text[]) GROUP BY customer_id, currency
"""
ADD_CREDITS = statements.insert(credits_)
RECORD = statements.insert(invoice_history)
BACKFILL = BulkStatement(
    """
UPDATE invoice_history SET invoice_id = found.invoice_id
  FROM unnest(%(transaction_id)b::text[], %(invoice_id)b::text[]) AS found (transaction_id, invoice_id)
 WHERE invoice_history.transaction_id = found.transaction_id AND invoice_history.invoice_id IS NULL
""",
    ("transaction_id", "invoice_id"),
)


def lock_transfers(tx: Connection, transaction_ids: Collection[str]) -> dict[str, Transfer]:
    """Insert missing transfers, lock all until the transaction ends, and return them by id."""
    rows = LOCK_TRANSFERS.rows(tx, transaction_ids)
    return {id_: Transfer(id_, version, registers.load(TransferRegisters, text)) for id_, version, text in rows}


def lock_invoices(tx: Connection, invoice_ids: Collection[str]) -> dict[str, Invoice]:
    """Insert missing invoices, lock all until the transaction ends, and return them by id."""
    rows = LOCK_INVOICES.rows(tx, invoice_ids)
    return {id_: Invoice.load(id_, version, text) for id_, version, text in rows}


def lock_balances(tx: Connection, customer_ids: Collection[str]) -> dict[tuple[str, str], int]:
    """Insert missing customers, lock all until the transaction ends; return balances by (customer id, currency).

    Balances are in minor units; customers without credits are not in the result.
    """
    if not LOCK_CUSTOMERS.rows(tx, customer_ids):
        return {}
    balances = statements.execute(tx, BALANCES, {"keys": list(customer_ids)})
    return {(customer_id, currency): sum_ for customer_id, currency, sum_ in balances}


def add_credits(tx: Connection, added: Sequence[CreditAdded]) -> None:
    """Insert credits into the ledger. Raises IntegrityError for the second credit of an invoice."""
    ADD_CREDITS.execute_columns(tx, row_mapping.credit_columns(added))


def save_transfers(tx: Connection, changed: Iterable[Transfer]) -> None:
    """Update the rows of the transfers, which must be locked."""
    SAVE_TRANSFERS.execute_columns(tx, row_mapping.transfer_columns(list(changed)))


def save_invoices(tx: Connection, changed: Iterable[Invoice], last_webhooks: Mapping[str, InvoiceWebhook]) -> None:
    """Update the rows of the invoices, which must be locked.

    `last_webhooks` holds the last webhook of each in the batch, by invoice id; without one, `metadata` stays as it is.
    """
    SAVE_INVOICES.execute_columns(tx, row_mapping.invoice_columns(list(changed), last_webhooks))


def record(tx: Connection, applied: Sequence[AppliedWebhook]) -> None:
    """Insert every applied webhook into the history with its bytes and its invoice, late ones included."""
    RECORD.execute_columns(tx, row_mapping.history_columns(applied))


def backfill(tx: Connection, paired: Sequence[tuple[str, str]]) -> None:
    """Set the invoice in the transfers' history rows that have none; `paired` holds (transaction id, invoice id)."""
    BACKFILL.execute(tx, [{"transaction_id": id_, "invoice_id": invoice_id} for id_, invoice_id in paired])
