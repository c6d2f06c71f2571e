"""Create the contacts and the mails with their status."""

from alembic import op

revision = "notifier_0001"
down_revision = None
branch_labels = ("notifier",)

UP = """
CREATE TABLE customers (
    customer_id text PRIMARY KEY,
    email       text,
    name        text,
    locale      text,
    told_at     bigint NOT NULL DEFAULT -1
);

CREATE TABLE orders (
    order_id       text PRIMARY KEY,
    customer_id    text,
    customer_email text,
    customer_name  text,
    seller_id      text,
    seller_email   text,
    locale         text,
    link           text,
    told_at        bigint NOT NULL DEFAULT -1
);
CREATE INDEX orders_customer ON orders (customer_id);

CREATE TABLE notifications (
    notification_id uuid PRIMARY KEY,
    fact_id         uuid NOT NULL,
    fact_type       text NOT NULL,
    audience        text NOT NULL,
    channel         text NOT NULL,
    order_id        text,
    customer_id     text,
    contact         text,
    fact            json NOT NULL,
    status          text NOT NULL,
    attempts        int  NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    sending_since   timestamptz,
    error           text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    sent_at         timestamptz,
    CHECK (status IN ('waiting', 'queued', 'sending', 'sent', 'failed', 'unknown', 'stale', 'no_recipient'))
) WITH (fillfactor = 70);
CREATE INDEX notifications_due ON notifications (next_attempt_at) WHERE status = 'queued';
CREATE INDEX notifications_sending ON notifications (sending_since) WHERE status = 'sending';
CREATE INDEX notifications_waiting ON notifications (order_id) WHERE status = 'waiting';
CREATE INDEX notifications_order ON notifications (order_id);

CREATE VIEW addressed AS
SELECT notification_id, fact_id, fact_type, audience, channel, order_id, status, attempts, fact,
       customers.customer_id, coalesce(orders.customer_name, customers.name) AS name,
       coalesce(orders.locale, customers.locale) AS locale, orders.link,
       CASE audience WHEN 'customer' THEN coalesce(orders.customer_email, customers.email, contact)
                     WHEN 'seller' THEN orders.seller_email
                     ELSE contact END AS recipient
  FROM notifications
  LEFT JOIN orders USING (order_id)
  LEFT JOIN customers ON customers.customer_id = coalesce(orders.customer_id, notifications.customer_id);
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP VIEW addressed")
    op.execute("DROP TABLE notifications, orders, customers")
