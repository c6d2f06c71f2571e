"""Create the tables of orders with their refunded total, refunds and applied webhooks."""

from alembic import op

revision = "refund_0001"
down_revision = None
branch_labels = ("refund",)

UP = """
CREATE TABLE orders (
    order_id        text PRIMARY KEY,
    refund_status   text,
    refunded_amount bigint NOT NULL DEFAULT 0,
    version         int    NOT NULL DEFAULT 0,
    updated_at      timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);

CREATE TABLE refunds (
    order_id     text NOT NULL,
    refund_id    text NOT NULL,
    status       text NOT NULL,
    amount       bigint,
    currency     text,
    reason       text,
    provider     text NOT NULL,
    processed_at timestamptz,
    metadata     json,
    told         json NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (order_id, refund_id)
) WITH (fillfactor = 70);

CREATE TABLE refund_history (
    event_id    uuid PRIMARY KEY,
    order_id    text NOT NULL,
    refund_id   text NOT NULL,
    status      text NOT NULL,
    outcome     text NOT NULL,
    amount      bigint,
    currency    text,
    occurred_at timestamptz,
    received_at timestamptz NOT NULL,
    payload     bytea NOT NULL
);
CREATE INDEX refund_history_order ON refund_history (order_id);

COMMENT ON COLUMN refunds.told IS 'each column''s value with the stamp it was told by: what makes any order of events end alike';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE refund_history, refunds, orders")
