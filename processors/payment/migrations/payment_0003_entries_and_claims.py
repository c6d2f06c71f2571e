"""Add the log of an order's transactions, and the cancels that do not fit the payment."""

from alembic import op

revision = "payment_0003"
down_revision = "payment_0002"

UP = """
ALTER TABLE payments ADD COLUMN entries json NOT NULL DEFAULT '{}', ADD COLUMN claims json;
ALTER TABLE orders ADD COLUMN entries json NOT NULL DEFAULT '{}';

COMMENT ON COLUMN payments.claims IS 'what cancels say of transactions, and what counts without them; null without cancels';
COMMENT ON COLUMN orders.entries IS 'what refunds said before any payment was told';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("""
        ALTER TABLE orders DROP COLUMN entries;
        ALTER TABLE payments DROP COLUMN entries, DROP COLUMN claims;
    """)
