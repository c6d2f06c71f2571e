"""The tables of refused requests, and of the terms by which bodies are found."""

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)

from console.tables.log import NO_TEXTS

METADATA = MetaData()

refusals = Table(
    "refusals",
    METADATA,
    Column("refusal_id", Uuid, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("excerpt", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("order_ids", ARRAY(Text), nullable=False, server_default=NO_TEXTS),
    Column("source", Text),
    Column("retired_secret", Text),
    Index(
        "refusals_received",
        "received_at",
        "refusal_id",
        postgresql_include=["provider", "cause", "source", "retired_secret"],
    ),
    Index("refusals_orders", "order_ids", postgresql_using="gin"),
)

refusal_counts = Table(
    "refusal_counts",
    METADATA,
    Column("start", BigInteger, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("cause", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

search_terms = Table(
    "search_terms",
    METADATA,
    Column("subject", Uuid, primary_key=True),
    Column("is_refusal", Boolean, nullable=False),
    Column("terms", ARRAY(Integer), nullable=False),
    Index("search_terms_webhooks", "terms", postgresql_using="gin", postgresql_where=text("(NOT is_refusal)")),
    Index("search_terms_refusals", "terms", postgresql_using="gin", postgresql_where=text("is_refusal")),
)
