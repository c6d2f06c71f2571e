"""The tables of the refund processor, as its migration makes them (tests/integration/test_tables.py)."""

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text, Uuid

from stream.store.tables import EMPTY, NOW, REGISTERS, TIME, aliases

METADATA = MetaData()
PAID = "amount, currency and provider of each transaction that paid the order"
RELEASED = "the registers of refunds that give nothing back, by their ids; these have no rows"
MISMATCH = "why a completed refund does not fit what was paid, and does not count"

orders = Table(
    "orders",
    METADATA,
    Column("order_id", Text, primary_key=True),
    Column("refund_status", Text),
    Column("refunded_amount", BigInteger, nullable=False, server_default="0"),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("paid", JSON, nullable=False, server_default=EMPTY, comment=PAID),
    Column("released", JSON, nullable=False, server_default=EMPTY, comment=RELEASED),
    Column("updated_at", TIME, nullable=False, server_default=NOW),
)

refunds = Table(
    "refunds",
    METADATA,
    Column("order_id", Text, primary_key=True),
    Column("refund_id", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("amount", BigInteger),
    Column("currency", Text),
    Column("crypto_amount", Text),
    Column("crypto_asset", Text),
    Column("reason", Text),
    Column("provider", Text, nullable=False),
    Column("processed_at", TIME),
    Column("metadata", JSON),
    Column("registers", JSON, nullable=False, comment=REGISTERS),
    Column("mismatch", Text, comment=MISMATCH),
    Column("created_at", TIME, nullable=False, server_default=NOW),
    Column("updated_at", TIME, nullable=False, server_default=NOW),
)

refund_history = Table(
    "refund_history",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    Column("order_id", Text),
    Column("refund_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("amount", BigInteger),
    Column("currency", Text),
    Column("occurred_at", TIME),
    Column("received_at", TIME, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("refund_history_order", "order_id"),
)

aliases.to_metadata(METADATA)
