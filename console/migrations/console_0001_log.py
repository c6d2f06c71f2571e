"""Create the log: webhooks, outcomes, domain events, mails, refusals; and balances."""

from alembic import op

revision = "console_0001"
down_revision = None
branch_labels = ("console",)

# Times are microseconds since 1970 UTC, as in the records, so that the clean-up depends only on the topics.
UP = """
CREATE TABLE webhooks (
    webhook_id        uuid PRIMARY KEY,
    kind              text,
    provider          text,
    provider_event_id text,
    verification_request_id uuid,
    type              text,
    event_type        text,
    order_id          text,
    customer_id       text,
    verification      text,
    path              text,
    headers           json,
    payload           bytea,
    aside             text,
    confirmed_as      uuid,
    occurred_at       bigint,
    received_at       bigint,
    status            text   NOT NULL DEFAULT 'RECEIVED',
    retry_count       int    NOT NULL DEFAULT 0,
    last_retry_at     bigint,
    error             text,
    note              text,
    settled_at        bigint,
    created_at        timestamptz NOT NULL DEFAULT now(),
    CHECK (status IN ('RECEIVED', 'PROCESSED', 'FAILED', 'RETRYING', 'ABANDONED'))
) WITH (fillfactor = 70);
CREATE INDEX webhooks_received ON webhooks (received_at, webhook_id);
CREATE INDEX webhooks_order ON webhooks (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX webhooks_provider_event ON webhooks (provider_event_id) WHERE provider_event_id IS NOT NULL;
CREATE INDEX webhooks_verification_request ON webhooks (verification_request_id)
 WHERE verification_request_id IS NOT NULL;
CREATE INDEX webhooks_abandoned ON webhooks (settled_at) WHERE status = 'ABANDONED';
CREATE INDEX webhooks_unverified ON webhooks (received_at) WHERE kind = 'unverified';

CREATE TABLE outcomes (
    event_id    uuid   NOT NULL,
    service     text   NOT NULL,
    topic       text   NOT NULL,
    partition   int    NOT NULL,
    "offset"    bigint NOT NULL,
    outcome     text   NOT NULL,
    attempt     int    NOT NULL,
    error       text,
    at          bigint NOT NULL,
    PRIMARY KEY (event_id, service, at, topic, partition, "offset", outcome, attempt)
);

CREATE TABLE domain_events (
    event_id    uuid PRIMARY KEY,
    type        text   NOT NULL,
    order_id    text,
    customer_id text,
    caused_by   text   NOT NULL,
    occurred_at bigint,
    received_at bigint NOT NULL,
    body        json   NOT NULL
);
CREATE INDEX domain_events_order ON domain_events (order_id);
CREATE INDEX domain_events_cause ON domain_events (caused_by);

CREATE TABLE mails (
    notification_id uuid PRIMARY KEY,
    event_id        text   NOT NULL,
    event_type      text   NOT NULL,
    audience        text   NOT NULL,
    channel         text   NOT NULL,
    order_id        text,
    customer_id     text,
    locale          text   NOT NULL,
    message_id      text   NOT NULL,
    sent_at         bigint NOT NULL
);
CREATE INDEX mails_order ON mails (order_id);
CREATE INDEX mails_event ON mails (event_id);

CREATE TABLE refusals (
    refusal_id  uuid PRIMARY KEY,
    provider    text   NOT NULL,
    path        text   NOT NULL,
    cause       text   NOT NULL,
    headers     json   NOT NULL,
    digest      bytea  NOT NULL,
    excerpt     bytea  NOT NULL,
    received_at bigint NOT NULL
);
CREATE INDEX refusals_received ON refusals (received_at, refusal_id);

CREATE TABLE balances (
    customer_id text   NOT NULL,
    currency    text   NOT NULL,
    balance     bigint NOT NULL,
    at          bigint NOT NULL,
    PRIMARY KEY (customer_id, currency)
);
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE balances, refusals, mails, domain_events, outcomes, webhooks")
