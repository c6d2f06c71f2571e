"""The tables of the subscription processor, as its migration makes them (tests/integration/test_tables.py)."""

from sqlalchemy import JSON, Column, Index, Integer, MetaData, Table, Text, Uuid

from stream.store.tables import NOW, TIME

METADATA = MetaData()
REGISTERS = "each value with the stamp it was set with; the merge of these is the same in any order of events"

subscriptions = Table(
    "subscriptions",
    METADATA,
    Column("user_id", Text, primary_key=True),
    Column("plan", Text, nullable=False, server_default="free"),
    Column("status", Text, nullable=False, server_default="inactive"),
    Column("started_at", TIME),
    Column("ends_at", TIME),
    Column("next_billing_at", TIME),
    Column("cancelled_at", TIME),
    Column("last_order_id", Text),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("created_at", TIME, nullable=False, server_default=NOW),
    Column("updated_at", TIME, nullable=False, server_default=NOW),
)

orders = Table(
    "orders",
    METADATA,
    Column("order_id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("approved_at", TIME),
    Column("cancelled_at", TIME),
    Column("next_billing_at", TIME),
    Column("registers", JSON, nullable=False, comment=REGISTERS),
    Column("updated_at", TIME, nullable=False, server_default=NOW),
    Index("orders_user", "user_id"),
)

subscription_history = Table(
    "subscription_history",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("caused_by", Text, nullable=False),
    Column("occurred_at", TIME),
    Column("received_at", TIME, nullable=False),
    Column("payload", JSON, nullable=False),
    Index("subscription_history_user", "user_id"),
)

orders_without_plan = Table(
    "orders_without_plan",
    METADATA,
    Column("order_id", Text, primary_key=True),
    Column("created_at", TIME, nullable=False, server_default=NOW),
)
