"""Create the tables of every worker: ownership of partitions, inbox, outbox, retries, Idempotency-Keys, pause."""

from alembic import op

revision = "stream_0001"
down_revision = None
branch_labels = ("stream",)

UP = """
CREATE TABLE ownership (
    topic         text   NOT NULL,
    partition     int    NOT NULL,
    epoch         bigint NOT NULL,
    next_offset   bigint,
    rewound_until bigint,
    PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);

CREATE TABLE inbox (
    event_id   uuid PRIMARY KEY,
    digest     bytea,
    topic      text   NOT NULL,
    partition  int    NOT NULL,
    "offset"   bigint NOT NULL,
    outcome    text   NOT NULL,
    handled_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inbox_waiting ON inbox (handled_at) WHERE outcome = 'waiting';

CREATE TABLE outbox (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_topic     text   NOT NULL,
    source_partition int    NOT NULL,
    topic            text   NOT NULL,
    key              bytea,
    value            bytea  NOT NULL
);

CREATE TABLE retries (
    event_id            uuid PRIMARY KEY,
    topic               text   NOT NULL,
    partition           int    NOT NULL,
    "offset"            bigint NOT NULL,
    key                 bytea,
    value               bytea,
    status              text   NOT NULL,
    attempts            int    NOT NULL,
    error               text   NOT NULL,
    next_attempt_at     timestamptz NOT NULL,
    failed_at           timestamptz NOT NULL DEFAULT now(),
    last_failed_at      timestamptz NOT NULL DEFAULT now(),
    dismissed_because   text,
    dismissed_at        timestamptz,
    dismissal_published boolean NOT NULL DEFAULT true
);
CREATE INDEX retries_due ON retries (next_attempt_at) WHERE status = 'retrying';

CREATE TABLE idempotency_keys (key_id uuid PRIMARY KEY, event_id uuid NOT NULL);

CREATE TABLE pause (
    is_paused boolean PRIMARY KEY DEFAULT true CHECK (is_paused),
    reason    text NOT NULL,
    by        text NOT NULL,
    at        timestamptz NOT NULL DEFAULT now()
);
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE pause, idempotency_keys, retries, outbox, inbox, ownership")
