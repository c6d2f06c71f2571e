"""Add the source of refused requests, and the retired secret that signed them. Rows from before have none."""

from alembic import op

revision = "console_0012"
down_revision = "console_0011"


def upgrade() -> None:
    op.execute("ALTER TABLE refusals ADD COLUMN source text, ADD COLUMN retired_secret text")


def downgrade() -> None:
    op.execute("ALTER TABLE refusals DROP COLUMN source, DROP COLUMN retired_secret")
