"""Create the contacts, the mails with their status, in-app messages and operator alerts."""

from alembic import op

revision = "notifier_0001"
down_revision = None
branch_labels = ("notifier",)

UP = """
CREATE TABLE customers (
    customer_id   text PRIMARY KEY,
    email         text,
    name          text,
    locale        text,
    email_problem text,
    stated_at     bigint NOT NULL DEFAULT -1
);
CREATE INDEX customers_unusable ON customers (stated_at) WHERE email_problem IS NOT NULL;

CREATE TABLE orders (
    order_id               text PRIMARY KEY,
    customer_id            text,
    customer_email         text,
    customer_name          text,
    seller_id              text,
    seller_email           text,
    locale                 text,
    link                   text,
    customer_email_problem text,
    seller_email_problem   text,
    stated_at              bigint NOT NULL DEFAULT -1
);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX orders_seller ON orders (seller_id) WHERE seller_id IS NOT NULL;
CREATE INDEX orders_unusable ON orders (stated_at)
 WHERE customer_email_problem IS NOT NULL OR seller_email_problem IS NOT NULL;

CREATE TABLE notifications (
    notification_id uuid PRIMARY KEY,
    event_id        uuid NOT NULL,
    event_type      text NOT NULL,
    audience        text NOT NULL,
    channel         text NOT NULL,
    order_id        text,
    customer_id     text,
    contact         text,
    contact_problem text,
    event           json NOT NULL,
    status          text NOT NULL,
    attempts        int  NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    sending_since   timestamptz,
    error           text,
    received_at     timestamptz NOT NULL DEFAULT now(),
    created_at      timestamptz NOT NULL DEFAULT now(),
    sent_at         timestamptz,
    resolved_at     timestamptz,
    resolved_as     text,
    again_of        uuid,
    CHECK (status IN ('waiting', 'queued', 'sending', 'sent', 'failed', 'unknown', 'stale', 'no_recipient'))
) WITH (fillfactor = 70);
CREATE INDEX notifications_due ON notifications (next_attempt_at) WHERE status = 'queued';
CREATE INDEX notifications_sending ON notifications (sending_since) WHERE status = 'sending';
CREATE INDEX notifications_waiting ON notifications (created_at) WHERE status = 'waiting';
CREATE INDEX notifications_ended ON notifications (status, created_at)
 WHERE status IN ('failed', 'unknown', 'stale', 'no_recipient');
CREATE INDEX notifications_order ON notifications (order_id);
CREATE INDEX notifications_customer ON notifications (customer_id) WHERE customer_id IS NOT NULL;

CREATE VIEW addressed AS
SELECT notification_id, event_id, event_type, audience, channel, order_id, status, attempts, event,
       coalesce(orders.customer_id, notifications.customer_id) AS customer_id,
       CASE audience WHEN 'customer' THEN coalesce(orders.customer_id, notifications.customer_id)
                     WHEN 'seller' THEN orders.seller_id END AS user_id,
       CASE audience WHEN 'customer' THEN coalesce(orders.customer_name, buyer.name)
                     WHEN 'seller' THEN seller.name END AS name,
       CASE audience WHEN 'customer' THEN coalesce(orders.locale, buyer.locale)
                     WHEN 'seller' THEN coalesce(seller.locale, orders.locale) END AS locale,
       orders.link,
       CASE audience WHEN 'customer' THEN coalesce(orders.customer_email, buyer.email, contact)
                     WHEN 'seller' THEN coalesce(orders.seller_email, seller.email)
                     ELSE contact END AS recipient,
       CASE audience WHEN 'customer' THEN coalesce(orders.customer_email_problem, buyer.email_problem, contact_problem)
                     WHEN 'seller' THEN coalesce(orders.seller_email_problem, seller.email_problem)
                     END AS problem,
       again_of
  FROM notifications
  LEFT JOIN orders USING (order_id)
  LEFT JOIN customers AS buyer ON buyer.customer_id = coalesce(orders.customer_id, notifications.customer_id)
  LEFT JOIN customers AS seller ON seller.customer_id = orders.seller_id;

CREATE TABLE in_app (
    id         uuid PRIMARY KEY,
    user_id    text NOT NULL,
    title      text NOT NULL,
    message    text NOT NULL,
    type       text NOT NULL,
    link       text,
    created_at timestamptz NOT NULL,
    event_id   uuid NOT NULL,
    audience   text NOT NULL,
    UNIQUE (event_id, audience)
);
CREATE INDEX in_app_user ON in_app (user_id, created_at);

CREATE TABLE operator_alerts (
    kind      text NOT NULL,
    subject   text NOT NULL,
    details   json NOT NULL,
    raised_at timestamptz NOT NULL DEFAULT now(),
    mailed_at timestamptz,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX operator_alerts_unmailed ON operator_alerts (raised_at) WHERE mailed_at IS NULL;
CREATE INDEX operator_alerts_mailed ON operator_alerts (mailed_at);
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP VIEW addressed")
    op.execute("DROP TABLE operator_alerts, in_app, notifications, orders, customers")
