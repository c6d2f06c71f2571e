"""Add the pause of a service: at most one row."""

from alembic import op

revision = "stream_0007"
down_revision = "stream_0006"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE pause (
            is_paused boolean PRIMARY KEY DEFAULT true CHECK (is_paused),
            reason    text NOT NULL,
            by        text NOT NULL,
            at        timestamptz NOT NULL DEFAULT now()
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE pause")
