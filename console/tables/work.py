"""The tables of people's work: actions, issues, redrives, alerts, sessions.

Times that are numbers are microseconds since 1970 UTC, except in `ended_sessions`. In `issue_events` the two times are
those of the first and the latest death of the event of the issue's error.
"""

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)

from stream.store.tables import NOW, TIME, ZERO

METADATA = MetaData()

actions = Table(
    "actions",
    METADATA,
    Column("action_id", Uuid, primary_key=True),
    Column("result", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("user_name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("detail", Text),
    Index("actions_at", "at"),
    Index("actions_target", "target"),
)

issues = Table(
    "issues",
    METADATA,
    Column("issue_id", Uuid, primary_key=True),
    Column("service", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("line", Text, nullable=False),
)

issue_events = Table(
    "issue_events",
    METADATA,
    Column("issue_id", Uuid, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("first_died_at", BigInteger, nullable=False),
    Column("died_at", BigInteger, nullable=False),
    Column("is_dead", Boolean, nullable=False),
    Index("issue_events_event", "event_id"),
    Index("issue_events_dead", "issue_id", "died_at", postgresql_where=text("is_dead")),
)

redrives = Table(
    "redrives",
    METADATA,
    Column("redrive_id", Uuid, primary_key=True),
    Column("issue_id", Uuid, nullable=False),
    Column("service", Text, nullable=False),
    Column("event_ids", ARRAY(Uuid), nullable=False),
    Column("done", Integer, nullable=False, server_default=ZERO),
    Column("status", Text, nullable=False, server_default="running"),
    Column("started_by", Text, nullable=False),
    Column("started_at", TIME, nullable=False, server_default=NOW),
    Column("beat_at", TIME, nullable=False, server_default=NOW),
    Index("redrives_issue", "issue_id", "started_at"),
)

alerts = Table(
    "alerts",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("ended_at", BigInteger),
)

alert_messages = Table(
    "alert_messages",
    METADATA,
    Column("message_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("body", JSON, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Index("alert_messages_made", "kind", "made_at"),
)

alert_deliveries = Table(
    "alert_deliveries",
    METADATA,
    Column("message_id", Uuid, ForeignKey("alert_messages.message_id", ondelete="CASCADE"), primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("attempts", Integer, nullable=False, server_default=ZERO),
    Column("next_attempt_at", BigInteger, nullable=False),
    Column("delivered_at", BigInteger),
    Column("given_up_at", BigInteger),
    Column("error", Text),
    Index(
        "alert_deliveries_due",
        "next_attempt_at",
        postgresql_where=text("((delivered_at IS NULL) AND (given_up_at IS NULL))"),
    ),
)

ended_sessions = Table(
    "ended_sessions",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("ended_at", BigInteger, nullable=False),
)
"""`ended_at` is in seconds since 1970 UTC, as in a session's cookie."""

failed_logins = Table(
    "failed_logins",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("limit_key", Text, nullable=False),
    Column("failed_at", TIME, nullable=False, server_default=NOW),
    Index("failed_logins_limit", "limit_key", "failed_at"),
    Index("failed_logins_at", "failed_at"),
)
"""A row for each failed login and each limit it counts against; `console.login.failed_logins` makes `limit_key`."""
