"""Add the ids that providers give their webhooks, which people search for."""

from alembic import op

revision = "console_0003"
down_revision = "console_0002"


def upgrade() -> None:
    op.execute("ALTER TABLE webhooks ADD COLUMN provider_ids text[]")
    op.execute("CREATE INDEX webhooks_provider_ids ON webhooks USING gin (provider_ids)")


def downgrade() -> None:
    op.execute("ALTER TABLE webhooks DROP COLUMN provider_ids")
