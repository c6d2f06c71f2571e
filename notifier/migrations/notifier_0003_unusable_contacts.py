"""Add the reason why a contact cannot be mailed."""

from alembic import op

revision = "notifier_0003"
down_revision = "notifier_0002"
branch_labels = None

UP = """
ALTER TABLE orders ADD COLUMN customer_email_problem text,
                   ADD COLUMN seller_email_problem text;
ALTER TABLE customers ADD COLUMN email_problem text;
ALTER TABLE notifications ADD COLUMN contact_problem text;
CREATE INDEX orders_unusable ON orders (told_at)
 WHERE customer_email_problem IS NOT NULL OR seller_email_problem IS NOT NULL;
CREATE INDEX customers_unusable ON customers (told_at) WHERE email_problem IS NOT NULL;

-- A plan's order has no seller, and nobody waits for one any more.
DELETE FROM notifications
 WHERE audience = 'seller' AND status IN ('waiting', 'no_recipient') AND fact ->> 'provider' = 'tosspayments';

CREATE OR REPLACE VIEW addressed AS
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
                     ELSE contact END AS recipient,
       CASE audience WHEN 'customer' THEN coalesce(orders.customer_email_problem, buyer.email_problem, contact_problem)
                     WHEN 'seller' THEN coalesce(orders.seller_email_problem, seller.email_problem)
                     END AS problem
  FROM notifications
  LEFT JOIN orders USING (order_id)
  LEFT JOIN customers AS buyer ON buyer.customer_id = coalesce(orders.customer_id, notifications.customer_id)
  LEFT JOIN customers AS seller ON seller.customer_id = orders.seller_id;
"""

DOWN = """
DROP VIEW addressed;
DROP INDEX orders_unusable, customers_unusable;
ALTER TABLE orders DROP COLUMN customer_email_problem, DROP COLUMN seller_email_problem;
ALTER TABLE customers DROP COLUMN email_problem;
ALTER TABLE notifications DROP COLUMN contact_problem;
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
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
