"""The tables of the confirmer, as its migration makes them (tests/integration/test_tables.py)."""

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text, Uuid, text

from stream.store.tables import NOW, TIME, ZERO

METADATA = MetaData()
ASKING = "status = 'asking'::text"
FEWEST_ATTEMPTS = text("LEAST(attempts, 3)")

verification_requests = Table(
    "verification_requests",
    METADATA,
    Column("request_id", Uuid, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("alias", Text, nullable=False),
    Column("order_id", Text),
    Column("source", Text),
    Column("status", Text, nullable=False, server_default="asking"),
    Column("attempts", Integer, nullable=False, server_default=ZERO),
    Column("unread", Integer, nullable=False, server_default=ZERO),
    Column("known", Boolean, nullable=False, server_default=text("false")),
    Column("turn", TIME, nullable=False, server_default=NOW),
    Column("next_attempt_at", TIME, nullable=False, server_default=NOW),
    Column("asked_at", TIME),
    Column("error", Text),
    Column("event_id", Uuid),
    Column("received_at", TIME, nullable=False),
    Column("record", LargeBinary, nullable=False),
    Index("verification_requests_due", "provider", FEWEST_ATTEMPTS, "turn", postgresql_where=text(f"({ASKING})")),
    Index(
        "verification_requests_known",
        "provider",
        FEWEST_ATTEMPTS,
        "turn",
        postgresql_where=text(f"(({ASKING}) AND known)"),
    ),
    Index(
        "verification_requests_newest",
        "provider",
        "received_at",
        postgresql_where=text(f"(({ASKING}) AND (attempts = 0))"),
    ),
    Index("verification_requests_alias", "provider", "alias", postgresql_where=text(f"({ASKING})")),
    Index("verification_requests_event", "event_id", postgresql_where=text("(event_id IS NOT NULL)")),
    Index("verification_requests_order", "order_id", postgresql_where=text("(order_id IS NOT NULL)")),
    Index(
        "verification_requests_ended",
        "received_at",
        postgresql_where=text("(status = ANY (ARRAY['untrue'::text, 'unknown'::text]))"),
    ),
)

orders = Table("orders", METADATA, Column("order_id", Text, primary_key=True))
"""The shop's orders: verifications about them come first."""

turns = Table("turns", METADATA, Column("queue", Text, primary_key=True), Column("turn", TIME, nullable=False))
"""The last turn of each queue: of a provider's order, or of a source that posts to it."""
