"""Create the table that maps Idempotency-Keys to events."""

from alembic import op

revision = "stream_0004"
down_revision = "stream_0003"


def upgrade() -> None:
    op.execute("CREATE TABLE idempotency_keys (key_id uuid PRIMARY KEY, event_id uuid NOT NULL)")


def downgrade() -> None:
    op.execute("DROP TABLE idempotency_keys")
