"""The tables of the invoice processor, as its migration makes them (tests/integration/test_tables.py)."""

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
)

from stream.store.tables import EMPTY, NOW, REGISTERS, TIME

METADATA = MetaData()

invoices = Table(
    "invoices",
    METADATA,
    Column("invoice_id", Text, primary_key=True),
    Column("customer_id", Text),
    Column("customer_name", Text),
    Column("state", Text, comment="null while only a transfer of the invoice is known"),
    Column("title", Text),
    Column("cash_amount", BigInteger),
    Column("cash_currency", Text),
    Column("crypto_amount", Text, comment="a decimal text, as the provider writes it"),
    Column("crypto_asset", Text),
    Column("received_amount", Text),
    Column("expected_amount", Text),
    Column("reason", Text),
    Column("transaction_id", Text),
    Column("completed_at", TIME),
    Column("expired_at", TIME),
    Column("metadata", JSON),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("registers", JSON, nullable=False, server_default=EMPTY, comment=REGISTERS),
    Column("created_at", TIME, nullable=False, server_default=NOW),
    Column("updated_at", TIME, nullable=False, server_default=NOW),
)

transfers = Table(
    "transfers",
    METADATA,
    Column("transaction_id", Text, primary_key=True),
    Column("invoice_id", Text),
    Column("customer_id", Text),
    Column("state", Text),
    Column("amount", Text),
    Column("asset", Text),
    Column("hash", Text),
    Column("from_address", Text),
    Column("to_address", Text),
    Column("block_number", BigInteger),
    Column("reason", Text),
    Column("changed_at", TIME),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("registers", JSON, nullable=False, server_default=EMPTY),
    Column("created_at", TIME, nullable=False, server_default=NOW),
    Column("updated_at", TIME, nullable=False, server_default=NOW),
)

invoice_history = Table(
    "invoice_history",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("invoice_id", Text),
    Column("transaction_id", Text),
    Column("state", Text, nullable=False),
    Column("previous_state", Text),
    Column("outcome", Text, nullable=False),
    Column("occurred_at", TIME),
    Column("received_at", TIME, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("invoice_history_invoice", "invoice_id"),
    Index("invoice_history_transaction", "transaction_id"),
)

customers = Table(
    "customers",
    METADATA,
    Column("customer_id", Text, primary_key=True),
    comment="one row to lock for each customer with credits, so that balances are published in order",
)

credits_ = Table(
    "credits",
    METADATA,
    Column("entry_id", Uuid, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("invoice_id", Text, nullable=False, unique=True),
    Column("amount", BigInteger, CheckConstraint("amount > 0"), nullable=False),
    Column("currency", Text, nullable=False),
    Column("created_at", TIME, nullable=False, server_default=NOW),
    Index("credits_customer", "customer_id"),
)
