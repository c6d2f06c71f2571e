"""Add the amounts paid for an order, and which refunds do not fit them."""

from alembic import op

revision = "refund_0003"
down_revision = "refund_0002"

UP = """
ALTER TABLE orders ADD COLUMN paid json NOT NULL DEFAULT '{}';
ALTER TABLE refunds ADD COLUMN mismatch text;

COMMENT ON COLUMN orders.paid IS 'amount, currency and provider of each transaction that paid the order';
COMMENT ON COLUMN refunds.mismatch IS 'why a completed refund does not fit what was paid, and does not count';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("""
        ALTER TABLE refunds DROP COLUMN mismatch;
        ALTER TABLE orders DROP COLUMN paid;
    """)
