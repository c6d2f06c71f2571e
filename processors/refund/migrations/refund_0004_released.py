"""Add the refunds that only release an authorized amount that was not captured."""

from alembic import op

revision = "refund_0004"
down_revision = "refund_0003"

UP = """
ALTER TABLE orders ADD COLUMN released json NOT NULL DEFAULT '{}';

COMMENT ON COLUMN orders.released IS 'what was told of refunds that give nothing back, by their ids: they have no rows';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("ALTER TABLE orders DROP COLUMN released")
