"""Add whether a dismissal has been published."""

from alembic import op

revision = "stream_0006"
down_revision = "stream_0005"


def upgrade() -> None:
    op.execute("ALTER TABLE parked ADD COLUMN dismissal_published boolean NOT NULL DEFAULT true")
    op.execute("UPDATE parked SET dismissal_published = false WHERE status = 'dismissed'")


def downgrade() -> None:
    op.execute("ALTER TABLE parked DROP COLUMN dismissal_published")
