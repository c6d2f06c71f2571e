"""Add the reason and time of dismissal."""

from alembic import op

revision = "stream_0005"
down_revision = "stream_0004"


def upgrade() -> None:
    op.execute("ALTER TABLE parked ADD COLUMN dismissed_because text, ADD COLUMN dismissed_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE parked DROP COLUMN dismissed_because, DROP COLUMN dismissed_at")
