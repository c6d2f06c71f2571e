"""Add alerts, the messages about them, and the delivery of each message by each channel."""

from alembic import op

revision = "console_0015"
down_revision = "console_0014"

# Times are microseconds since 1970 UTC.
UP = """
CREATE TABLE alerts (
    kind      text   NOT NULL,
    subject   text   NOT NULL,
    text      text   NOT NULL,
    count     bigint NOT NULL,
    opened_at bigint NOT NULL,
    sent_at   bigint,
    ended_at  bigint,
    PRIMARY KEY (kind, subject)
);
CREATE TABLE alert_messages (
    message_id uuid PRIMARY KEY,
    kind       text   NOT NULL,
    state      text   NOT NULL,
    body       json   NOT NULL,
    made_at    bigint NOT NULL
);
CREATE INDEX alert_messages_made ON alert_messages (kind, made_at);
CREATE TABLE alert_deliveries (
    message_id      uuid   NOT NULL REFERENCES alert_messages ON DELETE CASCADE,
    channel         text   NOT NULL,
    attempts        int    NOT NULL DEFAULT 0,
    next_attempt_at bigint NOT NULL,
    delivered_at    bigint,
    given_up_at     bigint,
    error           text,
    PRIMARY KEY (message_id, channel)
);
CREATE INDEX alert_deliveries_due ON alert_deliveries (next_attempt_at) WHERE delivered_at IS NULL AND given_up_at IS NULL;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE alert_deliveries, alert_messages, alerts")
