"""Add the redrives that people start: which events, and how far it is."""

from alembic import op

revision = "console_0013"
down_revision = "console_0012"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE redrives (
            redrive_id uuid PRIMARY KEY,
            issue_id   uuid NOT NULL,
            service    text NOT NULL,
            event_ids  uuid[] NOT NULL,
            done       int NOT NULL DEFAULT 0,
            status     text NOT NULL DEFAULT 'running',
            started_by text NOT NULL,
            started_at timestamptz NOT NULL DEFAULT now(),
            beat_at    timestamptz NOT NULL DEFAULT now(),
            CHECK (status IN ('running', 'done', 'cancelled', 'failing', 'failed'))
        )
    """)
    op.execute("CREATE INDEX redrives_issue ON redrives (issue_id, started_at)")


def downgrade() -> None:
    op.execute("DROP TABLE redrives")
