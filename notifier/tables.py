"""The tables of the notifier, as its migration makes them (tests/integration/test_tables.py)."""

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, MetaData, Table, Text, UniqueConstraint, Uuid, text

from stream.store.tables import NOW, TIME, ZERO

METADATA = MetaData()
NEVER = text("'-1'::integer")
"""The default of `stated_at`: no webhook has stated the contact, and any webhook is newer."""

customers = Table(
    "customers",
    METADATA,
    Column("customer_id", Text, primary_key=True),
    Column("email", Text),
    Column("name", Text),
    Column("locale", Text),
    Column("email_problem", Text),
    Column("stated_at", BigInteger, nullable=False, server_default=NEVER),
    Index("customers_unusable", "stated_at", postgresql_where=text("(email_problem IS NOT NULL)")),
)

orders = Table(
    "orders",
    METADATA,
    Column("order_id", Text, primary_key=True),
    Column("customer_id", Text),
    Column("customer_email", Text),
    Column("customer_name", Text),
    Column("seller_id", Text),
    Column("seller_email", Text),
    Column("locale", Text),
    Column("link", Text),
    Column("customer_email_problem", Text),
    Column("seller_email_problem", Text),
    Column("stated_at", BigInteger, nullable=False, server_default=NEVER),
    Index("orders_customer", "customer_id"),
    Index("orders_seller", "seller_id", postgresql_where=text("(seller_id IS NOT NULL)")),
    Index(
        "orders_unusable",
        "stated_at",
        postgresql_where=text("((customer_email_problem IS NOT NULL) OR (seller_email_problem IS NOT NULL))"),
    ),
)

notifications = Table(
    "notifications",
    METADATA,
    Column("notification_id", Uuid, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("order_id", Text),
    Column("customer_id", Text),
    Column("contact", Text),
    Column("contact_problem", Text),
    Column("event", JSON, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=ZERO),
    Column("next_attempt_at", TIME, nullable=False, server_default=NOW),
    Column("sending_since", TIME),
    Column("error", Text),
    Column("received_at", TIME, nullable=False, server_default=NOW),
    Column("created_at", TIME, nullable=False, server_default=NOW),
    Column("sent_at", TIME),
    Column("resolved_at", TIME),
    Column("resolved_as", Text),
    Column("again_of", Uuid),
    Index("notifications_due", "next_attempt_at", postgresql_where=text("(status = 'queued'::text)")),
    Index("notifications_sending", "sending_since", postgresql_where=text("(status = 'sending'::text)")),
    Index("notifications_waiting", "created_at", postgresql_where=text("(status = 'waiting'::text)")),
    Index(
        "notifications_ended",
        "status",
        "created_at",
        postgresql_where=text(
            "(status = ANY (ARRAY['failed'::text, 'unknown'::text, 'stale'::text, 'no_recipient'::text]))"
        ),
    ),
    Index("notifications_order", "order_id"),
    Index("notifications_customer", "customer_id", postgresql_where=text("(customer_id IS NOT NULL)")),
)

in_app = Table(
    "in_app",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("link", Text),
    Column("created_at", TIME, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("audience", Text, nullable=False),
    UniqueConstraint("event_id", "audience", name="in_app_event_id_audience_key"),
    Index("in_app_user", "user_id", "created_at"),
)

operator_alerts = Table(
    "operator_alerts",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("details", JSON, nullable=False),
    Column("raised_at", TIME, nullable=False, server_default=NOW),
    Column("mailed_at", TIME),
    Index("operator_alerts_unmailed", "raised_at", postgresql_where=text("(mailed_at IS NULL)")),
    Index("operator_alerts_mailed", "mailed_at"),
)
