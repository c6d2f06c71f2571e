"""The table of the order processor, as its migration makes it (tests/integration/test_tables.py)."""

from sqlalchemy import JSON, BigInteger, Column, Integer, MetaData, Table, Text

from stream.store.tables import EMPTY, NOW, TIME

METADATA = MetaData()
SET_BY = "by column: the ids of the webhook that set it and of the domain event it caused"
INPUTS = "the newest state of the payment, each parcel and the refunds, with its revision"

orders = Table(
    "orders",
    METADATA,
    Column("order_id", Text, primary_key=True),
    Column("payment_status", Text),
    Column("payment_method", Text),
    Column("transaction_id", Text),
    Column("paid_amount", BigInteger, comment="minor units of the currency, as all amounts"),
    Column("paid_at", TIME),
    Column("shipping_status", Text),
    Column("tracking_number", Text),
    Column("carrier", Text),
    Column("last_location", Text),
    Column("shipping_updated_at", TIME),
    Column("refund_status", Text),
    Column("refunded_amount", BigInteger),
    Column("currency", Text),
    Column("customer_id", Text),
    Column("ordered_amount", BigInteger),
    Column("ordered_currency", Text),
    Column("subscription_plan", Text),
    Column("subscription_status", Text),
    Column("set_by", JSON, nullable=False, server_default=EMPTY, comment=SET_BY),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("inputs", JSON, nullable=False, server_default=EMPTY, comment=INPUTS),
    Column("created_at", TIME, nullable=False, server_default=NOW),
    Column("updated_at", TIME, nullable=False, server_default=NOW),
)
