"""Add the providers' references: a refund may name only its payment."""

from alembic import op

revision = "console_0002"
down_revision = "console_0001"


def upgrade() -> None:
    op.execute("ALTER TABLE webhooks ADD COLUMN refs text[] NOT NULL DEFAULT '{}'")
    op.execute("CREATE INDEX webhooks_refs ON webhooks USING gin (refs)")


def downgrade() -> None:
    op.execute("ALTER TABLE webhooks DROP COLUMN refs")
