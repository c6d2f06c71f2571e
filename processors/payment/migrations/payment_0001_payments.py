"""Create the tables of orders, payments, transactions and applied webhooks."""

from alembic import op

revision = "payment_0001"
down_revision = None
branch_labels = ("payment",)

UP = """
CREATE TABLE orders (
    order_id text PRIMARY KEY,
    amount   bigint,
    currency text,
    told     json NOT NULL DEFAULT '{}'
) WITH (fillfactor = 80);

CREATE TABLE payments (
    order_id          text PRIMARY KEY,
    status            text   NOT NULL,
    method            text,
    transaction_id    text,
    pg_transaction_id text,
    provider          text   NOT NULL,
    amount            bigint,
    currency          text,
    refunded_amount   bigint NOT NULL DEFAULT 0,
    failure_reason    text,
    mismatched        boolean NOT NULL,
    paid_at           timestamptz,
    user_id           text,
    metadata          json,
    version           int    NOT NULL,
    told              json   NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

CREATE TABLE transactions (
    order_id       text NOT NULL,
    transaction_id text NOT NULL,
    status         text NOT NULL,
    amount         bigint,
    currency       text,
    told           json NOT NULL,
    PRIMARY KEY (order_id, transaction_id)
) WITH (fillfactor = 80);

CREATE TABLE payment_history (
    event_id       uuid PRIMARY KEY,
    order_id       text NOT NULL,
    status         text NOT NULL,
    outcome        text NOT NULL,
    transaction_id text,
    amount         bigint,
    currency       text,
    occurred_at    timestamptz,
    received_at    timestamptz NOT NULL,
    payload        bytea NOT NULL
);
CREATE INDEX payment_history_order ON payment_history (order_id);

COMMENT ON COLUMN payments.told IS 'each column''s value with the stamp it was told by: what makes any order of events end alike';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE payment_history, transactions, payments, orders")
