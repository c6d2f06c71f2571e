"""Add the aliases of payments: a refund may name only its payment."""

from alembic import op

revision = "console_0002"
down_revision = "console_0001"


def upgrade() -> None:
    op.execute("ALTER TABLE webhooks ADD COLUMN aliases text[] NOT NULL DEFAULT '{}'")
    op.execute("CREATE INDEX webhooks_aliases ON webhooks USING gin (aliases)")


def downgrade() -> None:
    op.execute("ALTER TABLE webhooks DROP COLUMN aliases")
