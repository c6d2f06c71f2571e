"""Which event stands under a sender's Idempotency-Key."""

from alembic import op

revision = "stream_0004"
down_revision = "stream_0003"


def upgrade() -> None:
    op.execute("CREATE TABLE idempotency_keys (key_id uuid PRIMARY KEY, event_id uuid NOT NULL)")


def downgrade() -> None:
    op.execute("DROP TABLE idempotency_keys")
