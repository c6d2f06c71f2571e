"""Add sellers' contacts, the age of mails, in-app messages and operator alerts."""

from alembic import op

revision = "notifier_0002"
down_revision = "notifier_0001"
branch_labels = None

UP = """
ALTER TABLE notifications ADD COLUMN received_at timestamptz NOT NULL DEFAULT now(),
                          ADD COLUMN resolved_at timestamptz,
                          ADD COLUMN resolved_as text;
UPDATE notifications SET received_at = to_timestamp((fact ->> 'received_at')::bigint / 1e6) WHERE status <> 'sent';

DROP INDEX notifications_waiting;
CREATE INDEX notifications_waiting ON notifications (created_at) WHERE status = 'waiting';
CREATE INDEX notifications_customer ON notifications (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX notifications_ended ON notifications (status, created_at)
 WHERE status IN ('failed', 'unknown', 'stale', 'no_recipient');
CREATE INDEX orders_seller ON orders (seller_id) WHERE seller_id IS NOT NULL;

DROP VIEW addressed;
CREATE VIEW addressed AS
SELECT notification_id, fact_id, fact_type, audience, channel, order_id, status, attempts, fact,
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
                     ELSE contact END AS recipient
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
    fact_id    uuid NOT NULL,
    audience   text NOT NULL,
    UNIQUE (fact_id, audience)
);
CREATE INDEX in_app_user ON in_app (user_id, created_at);

CREATE TABLE alarms (
    kind      text NOT NULL,
    subject   text NOT NULL,
    said      json NOT NULL,
    raised_at timestamptz NOT NULL DEFAULT now(),
    told_at   timestamptz,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX alarms_untold ON alarms (raised_at) WHERE told_at IS NULL;
CREATE INDEX alarms_told ON alarms (told_at);
"""

DOWN = """
DROP VIEW addressed;
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
DROP TABLE in_app, alarms;
DROP INDEX notifications_waiting, notifications_customer, notifications_ended, orders_seller;
CREATE INDEX notifications_waiting ON notifications (order_id) WHERE status = 'waiting';
ALTER TABLE notifications DROP COLUMN received_at, DROP COLUMN resolved_at, DROP COLUMN resolved_as;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
