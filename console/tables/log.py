"""The tables of the log: webhooks, outcomes, events, orders, mails, balances.

Times are microseconds since 1970 UTC, except `created_at`. `webhook_counts` is written by triggers alone.
"""

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    Column,
    Computed,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)

from stream.store.tables import NOW, TIME, ZERO

METADATA = MetaData()
NO_TEXTS = text("'{}'::text[]")

webhooks = Table(
    "webhooks",
    METADATA,
    Column("webhook_id", Uuid, primary_key=True),
    Column("kind", Text),
    Column("provider", Text),
    Column("provider_event_id", Text),
    Column("verification_request_id", Uuid),
    Column("type", Text),
    Column("event_type", Text),
    Column("order_id", Text),
    Column("customer_id", Text),
    Column("verification", Text),
    Column("path", Text),
    Column("headers", JSON),
    Column("payload", LargeBinary),
    Column("aside", Text),
    Column("confirmed_as", Uuid),
    Column("occurred_at", BigInteger),
    Column("received_at", BigInteger),
    Column("status", Text, nullable=False, server_default="RECEIVED"),
    Column("retry_count", Integer, nullable=False, server_default=ZERO),
    Column("last_retry_at", BigInteger),
    Column("error", Text),
    Column("note", Text),
    Column("settled_at", BigInteger),
    Column("created_at", TIME, nullable=False, server_default=NOW),
    Column("aliases", ARRAY(Text), nullable=False, server_default=NO_TEXTS),
    Column("provider_ids", ARRAY(Text)),
    Column(
        "unsuccessful",
        Text,
        Computed(
            "CASE WHEN status = ANY (ARRAY['FAILED'::text, 'RETRYING'::text, 'ABANDONED'::text]) THEN status"
            " ELSE NULL::text END",
            persisted=True,
        ),
    ),
    Column(
        "abandoned_at",
        BigInteger,
        Computed("CASE WHEN status = 'ABANDONED'::text THEN settled_at ELSE NULL::bigint END", persisted=True),
    ),
    Index("webhooks_received", "received_at", "webhook_id"),
    Index("webhooks_order", "order_id", postgresql_where=text("(order_id IS NOT NULL)")),
    Index("webhooks_provider_event", "provider_event_id", postgresql_where=text("(provider_event_id IS NOT NULL)")),
    Index(
        "webhooks_verification_request",
        "verification_request_id",
        postgresql_where=text("(verification_request_id IS NOT NULL)"),
    ),
    Index("webhooks_abandoned", "abandoned_at", postgresql_where=text("(abandoned_at IS NOT NULL)")),
    Index(
        "webhooks_unsuccessful",
        "unsuccessful",
        "received_at",
        "webhook_id",
        postgresql_where=text("(unsuccessful IS NOT NULL)"),
    ),
    Index(
        "webhooks_aside",
        "kind",
        "received_at",
        postgresql_where=text("(kind = ANY (ARRAY['unconfirmed'::text, 'quarantine'::text, 'unverified'::text]))"),
    ),
    Index("webhooks_aliases", "aliases", postgresql_using="gin"),
    Index("webhooks_provider_ids", "provider_ids", postgresql_using="gin"),
)

webhook_counts = Table(
    "webhook_counts",
    METADATA,
    Column("span", BigInteger, primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("event_type", Text, primary_key=True),
    Column("status", Text, primary_key=True),
    Column("is_event", Boolean, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

outcomes = Table(
    "outcomes",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("outcome", Text, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("error", Text),
    Column("at", BigInteger, primary_key=True),
)

domain_events = Table(
    "domain_events",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    Column("type", Text, nullable=False),
    Column("order_id", Text),
    Column("customer_id", Text),
    Column("caused_by", Text, nullable=False),
    Column("occurred_at", BigInteger),
    Column("received_at", BigInteger, nullable=False),
    Column("body", JSON, nullable=False),
    Index("domain_events_order", "order_id"),
    Index("domain_events_cause", "caused_by"),
)

order_states = Table(
    "order_states",
    METADATA,
    Column("order_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("state", JSON, nullable=False),
)

mails = Table(
    "mails",
    METADATA,
    Column("notification_id", Uuid, primary_key=True),
    Column("event_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("order_id", Text),
    Column("customer_id", Text),
    Column("locale", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("sent_at", BigInteger, nullable=False),
    Index("mails_order", "order_id"),
    Index("mails_event", "event_id"),
    Index("mails_sent", "sent_at"),
)

balances = Table(
    "balances",
    METADATA,
    Column("customer_id", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("balance", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
)

daily_amounts = Table(
    "daily_amounts",
    METADATA,
    Column("start", BigInteger, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("amount", BigInteger, nullable=False),
)
"""Sums of the amounts that domain events report, by day of UTC."""
