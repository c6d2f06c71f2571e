"""Add the sessions that have ended before their time, so that every replica refuses them."""

from alembic import op

revision = "console_0003"
down_revision = "console_0002"

# `kind` is `session` or `user`, `name` the id or the user's name. `ended_at` is in seconds since 1970 UTC, as in a
# session's cookie: all sessions of a user that were opened until then have ended.
UP = """
CREATE TABLE ended_sessions (
    kind     text   NOT NULL,
    name     text   NOT NULL,
    ended_at bigint NOT NULL,
    PRIMARY KEY (kind, name)
)
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE ended_sessions")
