"""Create the tables of orders, payments, transactions, aliases and applied webhooks."""

from alembic import op

revision = "payment_0001"
down_revision = None
branch_labels = ("payment",)

UP = """
CREATE TABLE orders (
    order_id  text PRIMARY KEY,
    amount    bigint,
    currency  text,
    registers json NOT NULL DEFAULT '{}',
    entries   json NOT NULL DEFAULT '{}'
) WITH (fillfactor = 80);

CREATE TABLE payments (
    order_id            text PRIMARY KEY,
    status              text,
    method              text,
    transaction_id      text,
    pg_transaction_id   text,
    provider            text,
    amount              bigint,
    currency            text,
    refunded_amount     bigint NOT NULL DEFAULT 0,
    failure_reason      text,
    mismatched          boolean NOT NULL,
    paid_at             timestamptz,
    user_id             text,
    metadata            json,
    version             int    NOT NULL,
    registers           json   NOT NULL,
    cancels             json   NOT NULL DEFAULT '{}',
    entries             json   NOT NULL DEFAULT '{}',
    claims              json,
    disputes            json   NOT NULL DEFAULT '{}',
    dispute_id          text,
    dispute_status      text,
    dispute_reason      text,
    disputed_amount     bigint,
    disputed_currency   text,
    dispute_due_at      timestamptz,
    charged_back_amount bigint NOT NULL DEFAULT 0,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);
CREATE INDEX payments_transaction ON payments (transaction_id) WHERE transaction_id IS NOT NULL;
CREATE INDEX payments_user ON payments (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE transactions (
    order_id        text NOT NULL,
    transaction_id  text NOT NULL,
    status          text,
    amount          bigint,
    currency        text,
    refunded_amount bigint,
    registers       json NOT NULL,
    PRIMARY KEY (order_id, transaction_id)
) WITH (fillfactor = 80);

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

CREATE TABLE payment_history (
    event_id       uuid PRIMARY KEY,
    order_id       text,
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

COMMENT ON COLUMN orders.entries IS 'what refunds say of the order while no payment is known';
COMMENT ON COLUMN payments.registers IS 'each column''s value with the stamp it was set with; the merge of these is the same in any order of events';
COMMENT ON COLUMN payments.claims IS 'what cancels say of transactions, and what counts without them; null without cancels';
COMMENT ON COLUMN payments.status IS 'null while only a dispute of the payment is known';
COMMENT ON COLUMN payments.disputes IS 'each dispute''s registers by its id; dispute_… show the most urgent of them';
COMMENT ON COLUMN payments.dispute_due_at IS 'until when the bank takes an answer';
COMMENT ON COLUMN payments.charged_back_amount IS 'taken back by banks in lost disputes; no refund of the shop''s';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE payment_history, aliases, transactions, payments, orders")
