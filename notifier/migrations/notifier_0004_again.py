"""Add the notification that an operator decided to send again."""

from alembic import op

revision = "notifier_0004"
down_revision = "notifier_0003"
branch_labels = None

VIEW = """
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
                     END AS problem{again_of}
  FROM notifications
  LEFT JOIN orders USING (order_id)
  LEFT JOIN customers AS buyer ON buyer.customer_id = coalesce(orders.customer_id, notifications.customer_id)
  LEFT JOIN customers AS seller ON seller.customer_id = orders.seller_id
"""


def upgrade() -> None:
    op.execute("ALTER TABLE notifications ADD COLUMN again_of uuid")
    op.execute(VIEW.format(again_of=", again_of"))


def downgrade() -> None:
    op.execute("DROP VIEW addressed")
    op.execute(VIEW.format(again_of=""))
    op.execute("ALTER TABLE notifications DROP COLUMN again_of")
