"""Add the actions that people take in the console, from console-actions.v1."""

from alembic import op

revision = "console_0007"
down_revision = "console_0006"

UP = """
CREATE TABLE actions (
    action_id  uuid   NOT NULL,
    result     text   NOT NULL,
    at         bigint NOT NULL,
    user_name  text   NOT NULL,
    role       text   NOT NULL,
    action     text   NOT NULL,
    target     text   NOT NULL,
    parameters json   NOT NULL,
    detail     text,
    PRIMARY KEY (action_id, result)
);
CREATE INDEX actions_at ON actions (at);
CREATE INDEX actions_target ON actions (target);
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE actions")
