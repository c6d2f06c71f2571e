"""Create the tables of every worker: ownership of partitions, inbox and outbox."""

from alembic import op

revision = "stream_0001"
down_revision = None
branch_labels = ("stream",)

UP = """
CREATE TABLE ownership (
    topic      text   NOT NULL,
    partition  int    NOT NULL,
    epoch      bigint NOT NULL,
    PRIMARY KEY (topic, partition)
);

CREATE TABLE inbox (
    event_id   uuid PRIMARY KEY,
    digest     bytea,
    topic      text   NOT NULL,
    partition  int    NOT NULL,
    "offset"   bigint NOT NULL,
    outcome    text   NOT NULL,
    handled_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE outbox (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_topic     text   NOT NULL,
    source_partition int    NOT NULL,
    topic            text   NOT NULL,
    key              bytea,
    value            bytea  NOT NULL
);
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE outbox, inbox, ownership")
