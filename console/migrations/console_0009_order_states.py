"""Add the current state of each order, as the order processor publishes it."""

from alembic import op

revision = "console_0009"
down_revision = "console_0008"

UP = """
CREATE TABLE order_states (
    order_id text   PRIMARY KEY,
    version  bigint NOT NULL,
    state    json   NOT NULL
) WITH (fillfactor = 80);
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE order_states")
