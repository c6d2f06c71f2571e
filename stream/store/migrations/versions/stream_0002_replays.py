"""Create the tables of a replay. They are empty in a schema that no replay has filled."""

from alembic import op

revision = "stream_0002"
down_revision = "stream_0001"
branch_labels = None

# Before this migration a replay created them itself, so a promoted schema has them already.
UP = """
CREATE TABLE IF NOT EXISTS replay (
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    service     text NOT NULL,
    name        text NOT NULL,
    to_time     timestamptz,
    orders      text[] NOT NULL,
    retranslate boolean NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    looked_at   timestamptz
);
CREATE TABLE IF NOT EXISTS replay_progress (
    purpose     text   NOT NULL,
    topic       text   NOT NULL,
    partition   int    NOT NULL,
    next_offset bigint NOT NULL,
    end_offset  bigint NOT NULL,
    PRIMARY KEY (purpose, topic, partition)
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS replay_published (event_id uuid PRIMARY KEY);
CREATE TABLE IF NOT EXISTS replay_owed (
    event_id         uuid PRIMARY KEY,
    n                bigint GENERATED ALWAYS AS IDENTITY,
    source_topic     text NOT NULL,
    source_partition int  NOT NULL,
    source_offset    bigint NOT NULL,
    topic            text NOT NULL,
    key              bytea,
    value            bytea NOT NULL,
    kind             text NOT NULL
);
CREATE TABLE IF NOT EXISTS replay_aliases (
    event_id  uuid PRIMARY KEY,
    digest    bytea,
    topic     text   NOT NULL,
    partition int    NOT NULL,
    "offset"  bigint NOT NULL
);
COMMENT ON TABLE replay_aliases IS 'ids that records bore before they were translated again, which may come again';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE replay_aliases, replay_owed, replay_published, replay_progress, replay")
