"""Create the table of verifications and their results."""

from alembic import op

revision = "confirmer_0001"
down_revision = None
branch_labels = ("confirmer",)

UP = """
CREATE TABLE questions (
    receipt_id      uuid PRIMARY KEY,
    provider        text        NOT NULL,
    subject         text        NOT NULL,
    reference       text        NOT NULL,
    status          text        NOT NULL DEFAULT 'asking',
    attempts        int         NOT NULL DEFAULT 0,
    unread          int         NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    asked_at        timestamptz,
    error           text,
    event_id        uuid,
    received_at     timestamptz NOT NULL,
    record          bytea       NOT NULL,
    CHECK (status IN ('asking', 'confirmed', 'untrue', 'unknown')),
    CHECK ((status = 'confirmed') = (event_id IS NOT NULL))
) WITH (fillfactor = 70);
CREATE INDEX questions_due ON questions (provider, next_attempt_at) WHERE status = 'asking';
CREATE INDEX questions_reference ON questions (provider, reference) WHERE status = 'asking';
CREATE INDEX questions_event ON questions (event_id) WHERE event_id IS NOT NULL;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE questions")
