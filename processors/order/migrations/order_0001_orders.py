"""Create the table of orders: contract A's columns, and which event set each."""

from alembic import op

revision = "order_0001"
down_revision = None
branch_labels = ("order",)

UP = """
CREATE TABLE orders (
    order_id            text PRIMARY KEY,
    payment_status      text,
    payment_method      text,
    transaction_id      text,
    paid_amount         bigint,
    paid_at             timestamptz,
    shipping_status     text,
    tracking_number     text,
    carrier             text,
    last_location       text,
    shipping_updated_at timestamptz,
    refund_status       text,
    refunded_amount     bigint,
    currency            text,
    customer_id         text,
    ordered_amount      bigint,
    ordered_currency    text,
    subscription_plan   text,
    subscription_status text,
    set_by              json NOT NULL DEFAULT '{}',
    version             int  NOT NULL DEFAULT 0,
    inputs              json NOT NULL DEFAULT '{}',
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

COMMENT ON COLUMN orders.paid_amount IS 'minor units of the currency, as all amounts';
COMMENT ON COLUMN orders.set_by IS 'by column: the ids of the webhook that set it and of the domain event it caused';
COMMENT ON COLUMN orders.inputs IS 'the newest state of the payment, each parcel and the refunds, with its revision';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE orders")
