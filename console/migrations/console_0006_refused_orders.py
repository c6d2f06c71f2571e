"""Add the order ids of refused requests, which people search for. Rows from before have none, and expire in a week."""

from alembic import op

revision = "console_0006"
down_revision = "console_0004"


def upgrade() -> None:
    op.execute("ALTER TABLE refusals ADD COLUMN order_ids text[] NOT NULL DEFAULT '{}'")
    op.execute("CREATE INDEX refusals_orders ON refusals USING gin (order_ids)")


def downgrade() -> None:
    op.execute("ALTER TABLE refusals DROP COLUMN order_ids")
