"""Create the tables of orders with their refunded total, refunds, aliases and applied webhooks."""

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
    paid            json   NOT NULL DEFAULT '{}',
    released        json   NOT NULL DEFAULT '{}',
    updated_at      timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);

CREATE TABLE refunds (
    order_id      text NOT NULL,
    refund_id     text NOT NULL,
    status        text NOT NULL,
    amount        bigint,
    currency      text,
    crypto_amount text,
    crypto_asset  text,
    reason        text,
    provider      text NOT NULL,
    processed_at  timestamptz,
    metadata      json,
    registers     json NOT NULL,
    mismatch      text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (order_id, refund_id)
) WITH (fillfactor = 70);

CREATE TABLE aliases (
    provider      text NOT NULL,
    alias         text NOT NULL,
    order_id      text,
    pending       json,
    waiting_since timestamptz,
    PRIMARY KEY (provider, alias)
) WITH (fillfactor = 80);
CREATE INDEX aliases_waiting ON aliases (waiting_since) WHERE waiting_since IS NOT NULL;

COMMENT ON COLUMN aliases.pending IS 'the state known under this alias while no order is known';

CREATE TABLE refund_history (
    event_id    uuid PRIMARY KEY,
    order_id    text,
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

COMMENT ON COLUMN orders.paid IS 'amount, currency and provider of each transaction that paid the order';
COMMENT ON COLUMN orders.released IS 'the registers of refunds that give nothing back, by their ids; these have no rows';
COMMENT ON COLUMN refunds.registers IS 'each column''s value with the stamp it was set with; the merge of these is the same in any order of events';
COMMENT ON COLUMN refunds.mismatch IS 'why a completed refund does not fit what was paid, and does not count';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE refund_history, aliases, refunds, orders")
