"""Create the tables of subscriptions, their orders, applied events, and orders without a plan."""

from alembic import op

revision = "subscription_0001"
down_revision = None
branch_labels = ("subscription",)

UP = """
CREATE TABLE subscriptions (
    user_id         text PRIMARY KEY,
    plan            text NOT NULL DEFAULT 'free',
    status          text NOT NULL DEFAULT 'inactive',
    started_at      timestamptz,
    ends_at         timestamptz,
    next_billing_at timestamptz,
    cancelled_at    timestamptz,
    last_order_id   text,
    version         int  NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);

CREATE TABLE orders (
    order_id        text PRIMARY KEY,
    user_id         text NOT NULL,
    approved_at     timestamptz,
    cancelled_at    timestamptz,
    next_billing_at timestamptz,
    registers       json NOT NULL,
    updated_at      timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);
CREATE INDEX orders_user ON orders (user_id);

CREATE TABLE subscription_history (
    event_id    uuid PRIMARY KEY,
    user_id     text NOT NULL,
    order_id    text NOT NULL,
    event_type  text NOT NULL,
    outcome     text NOT NULL,
    caused_by   text NOT NULL,
    occurred_at timestamptz,
    received_at timestamptz NOT NULL,
    payload     json NOT NULL
);
CREATE INDEX subscription_history_user ON subscription_history (user_id);

CREATE TABLE orders_without_plan (
    order_id   text PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON COLUMN orders.registers IS 'each value with the stamp it was set with; the merge of these is the same in any order of events';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE orders_without_plan, subscription_history, orders, subscriptions")
