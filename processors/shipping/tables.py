"""The tables of the shipping processor, as its migration makes them (tests/integration/test_tables.py)."""

from sqlalchemy import JSON, Column, Index, Integer, LargeBinary, MetaData, Table, Text, Uuid

from stream.store.tables import EMPTY, NOW, REGISTERS, TIME

METADATA = MetaData()

shipments = Table(
    "shipments",
    METADATA,
    Column("shipment_id", Text, primary_key=True),
    Column("carrier", Text),
    Column("tracking_number", Text),
    Column("order_id", Text),
    Column("status", Text),
    Column("last_location", Text),
    Column("shipping_updated_at", TIME),
    Column("metadata", JSON),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("registers", JSON, nullable=False, server_default=EMPTY, comment=REGISTERS),
    Column("created_at", TIME, nullable=False, server_default=NOW),
    Column("updated_at", TIME, nullable=False, server_default=NOW),
    Index("shipments_order", "order_id"),
)

shipment_history = Table(
    "shipment_history",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    Column("shipment_id", Text, nullable=False),
    Column("order_id", Text),
    Column("status", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("location", Text),
    Column("occurred_at", TIME),
    Column("received_at", TIME, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("shipment_history_shipment", "shipment_id"),
)
