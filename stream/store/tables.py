"""The tables of every worker, as the migrations make them (tests/integration/test_tables.py)."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

METADATA = MetaData()
TIME = TIMESTAMP(timezone=True)
NOW = text("now()")
ZERO = text("0")
EMPTY = text("'{}'::json")
"""The default `{}` of a JSON column, written as Postgres shows it, since alembic cannot compare JSON."""
REGISTERS = "each column's value with the stamp it was set with; the merge of these is the same in any order of events"
"""The comment of a column that holds registers."""

ownership = Table(
    "ownership",
    METADATA,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("next_offset", BigInteger),
    Column("rewound_until", BigInteger),
)

inbox = Table(
    "inbox",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    Column("digest", LargeBinary),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("handled_at", TIME, nullable=False, server_default=NOW),
    Index("inbox_waiting", "handled_at", postgresql_where=text("(outcome = 'waiting'::text)")),
)

outbox = Table(
    "outbox",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("source_topic", Text, nullable=False),
    Column("source_partition", Integer, nullable=False),
    Column("topic", Text, nullable=False),
    Column("key", LargeBinary),
    Column("value", LargeBinary, nullable=False),
)

retries = Table(
    "retries",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("next_attempt_at", TIME, nullable=False),
    Column("failed_at", TIME, nullable=False, server_default=NOW),
    Column("last_failed_at", TIME, nullable=False, server_default=NOW),
    Column("dismissed_because", Text),
    Column("dismissed_at", TIME),
    Column("dismissal_published", Boolean, nullable=False, server_default=text("true")),
    Index("retries_due", "next_attempt_at", postgresql_where=text("(status = 'retrying'::text)")),
)

idempotency_keys = Table(
    "idempotency_keys",
    METADATA,
    Column("key_id", Uuid, primary_key=True),
    Column("event_id", Uuid, nullable=False),
)

pause = Table(
    "pause",
    METADATA,
    Column("is_paused", Boolean, primary_key=True, server_default=text("true")),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", TIME, nullable=False, server_default=NOW),
)

replay = Table(
    "replay",
    METADATA,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("service", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("to_time", TIME),
    Column("orders", ARRAY(Text), nullable=False),
    Column("retranslate", Boolean, nullable=False),
    Column("started_at", TIME, nullable=False, server_default=NOW),
    Column("finished_at", TIME),
    Column("looked_at", TIME),
)
"""The replay that has filled this schema, in one row. In any other schema it and the tables `replay_…` are empty."""

replay_progress = Table(
    "replay_progress",
    METADATA,
    Column("purpose", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
    Column("end_offset", BigInteger, nullable=False),
)

replay_published = Table("replay_published", METADATA, Column("event_id", Uuid, primary_key=True))

replay_owed = Table(
    "replay_owed",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    Column("n", BigInteger, Identity(always=True)),
    Column("source_topic", Text, nullable=False),
    Column("source_partition", Integer, nullable=False),
    Column("source_offset", BigInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("key", LargeBinary),
    Column("value", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
)

replay_aliases = Table(
    "replay_aliases",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    Column("digest", LargeBinary),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    comment="ids that records bore before they were translated again, which may come again",
)

aliases = Table(
    "aliases",
    MetaData(),
    Column("provider", Text, primary_key=True),
    Column("alias", Text, primary_key=True),
    Column("order_id", Text),
    Column("pending", JSON, comment="the state known under this alias while no order is known"),
    Column("waiting_since", TIME),
    Index("aliases_waiting", "waiting_since", postgresql_where=text("(waiting_since IS NOT NULL)")),
)
"""The table `aliases` of the services that map aliases to orders; they copy it with `to_metadata`."""
