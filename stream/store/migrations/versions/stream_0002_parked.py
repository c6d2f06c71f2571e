"""Create the table of failed events, and an index of waiting ones."""

from alembic import op

revision = "stream_0002"
down_revision = "stream_0001"

UP = """
CREATE TABLE parked (
    event_id        uuid PRIMARY KEY,
    topic           text   NOT NULL,
    partition       int    NOT NULL,
    "offset"        bigint NOT NULL,
    key             bytea,
    value           bytea,
    status          text   NOT NULL,
    attempts        int    NOT NULL,
    error           text   NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    failed_at       timestamptz NOT NULL DEFAULT now(),
    last_failed_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX parked_due ON parked (next_attempt_at) WHERE status = 'retrying';
CREATE INDEX inbox_waiting ON inbox (handled_at) WHERE outcome = 'waiting';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE parked; DROP INDEX inbox_waiting")
