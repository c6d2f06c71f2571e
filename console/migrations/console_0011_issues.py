"""Group dead events into issues."""

from alembic import op

revision = "console_0011"
down_revision = "console_0010"

# `line` has no numbers and ids. The time of death is in microseconds since 1970 UTC.
UP = """
CREATE TABLE issues (
    issue_id uuid PRIMARY KEY,
    service  text NOT NULL,
    cause    text NOT NULL,
    line     text NOT NULL
);
CREATE TABLE issue_events (
    issue_id uuid    NOT NULL,
    event_id uuid    NOT NULL,
    died_at  bigint  NOT NULL,
    is_dead  boolean NOT NULL,
    PRIMARY KEY (issue_id, event_id)
);
CREATE INDEX issue_events_event ON issue_events (event_id);
CREATE INDEX issue_events_dead ON issue_events (issue_id, died_at) WHERE is_dead;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE issue_events, issues")
