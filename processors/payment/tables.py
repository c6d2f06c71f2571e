"""The tables of the payment processor, as its migration makes them (tests/integration/test_tables.py)."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text, Uuid, text

from stream.store.tables import EMPTY, NOW, REGISTERS, TIME, aliases

METADATA = MetaData()
ENTRIES = "what refunds say of the order while no payment is known"
CLAIMS = "what cancels say of transactions, and what counts without them; null without cancels"
DISPUTES = "each dispute's registers by its id; dispute_… show the most urgent of them"
CHARGED_BACK = "taken back by banks in lost disputes; no refund of the shop's"

orders = Table(
    "orders",
    METADATA,
    Column("order_id", Text, primary_key=True),
    Column("amount", BigInteger),
    Column("currency", Text),
    Column("registers", JSON, nullable=False, server_default=EMPTY),
    Column("entries", JSON, nullable=False, server_default=EMPTY, comment=ENTRIES),
)

_of_disputes = (
    Column("disputes", JSON, nullable=False, server_default=EMPTY, comment=DISPUTES),
    Column("dispute_id", Text),
    Column("dispute_status", Text),
    Column("dispute_reason", Text),
    Column("disputed_amount", BigInteger),
    Column("disputed_currency", Text),
    Column("dispute_due_at", TIME, comment="until when the bank takes an answer"),
    Column("charged_back_amount", BigInteger, nullable=False, server_default="0", comment=CHARGED_BACK),
)
DISPUTE_COLUMNS = tuple(column.name for column in _of_disputes)
"""The columns of `payments` that are written only for payments with disputes, which are few."""

payments = Table(
    "payments",
    METADATA,
    Column("order_id", Text, primary_key=True),
    Column("status", Text, comment="null while only a dispute of the payment is known"),
    Column("method", Text),
    Column("transaction_id", Text),
    Column("pg_transaction_id", Text),
    Column("provider", Text),
    Column("amount", BigInteger),
    Column("currency", Text),
    Column("refunded_amount", BigInteger, nullable=False, server_default="0"),
    Column("failure_reason", Text),
    Column("mismatched", Boolean, nullable=False),
    Column("paid_at", TIME),
    Column("user_id", Text),
    Column("metadata", JSON),
    Column("version", Integer, nullable=False),
    Column("registers", JSON, nullable=False, comment=REGISTERS),
    Column("cancels", JSON, nullable=False, server_default=EMPTY),
    Column("entries", JSON, nullable=False, server_default=EMPTY),
    Column("claims", JSON, comment=CLAIMS),
    *_of_disputes,
    Column("created_at", TIME, nullable=False, server_default=NOW),
    Column("updated_at", TIME, nullable=False, server_default=NOW),
    Index("payments_transaction", "transaction_id", postgresql_where=text("(transaction_id IS NOT NULL)")),
    Index("payments_user", "user_id", postgresql_where=text("(user_id IS NOT NULL)")),
)

transactions = Table(
    "transactions",
    METADATA,
    Column("order_id", Text, primary_key=True),
    Column("transaction_id", Text, primary_key=True),
    Column("status", Text),
    Column("amount", BigInteger),
    Column("currency", Text),
    Column("refunded_amount", BigInteger),
    Column("registers", JSON, nullable=False),
)

payment_history = Table(
    "payment_history",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    Column("order_id", Text),
    Column("status", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("transaction_id", Text),
    Column("amount", BigInteger),
    Column("currency", Text),
    Column("occurred_at", TIME),
    Column("received_at", TIME, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("payment_history_order", "order_id"),
)

aliases.to_metadata(METADATA)
