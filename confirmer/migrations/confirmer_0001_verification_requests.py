"""Create the tables of verification requests with their results, known orders, and turns."""

from alembic import op

revision = "confirmer_0001"
down_revision = None
branch_labels = ("confirmer",)

UP = """
CREATE TABLE verification_requests (
    request_id      uuid PRIMARY KEY,
    provider        text        NOT NULL,
    subject         text        NOT NULL,
    alias           text        NOT NULL,
    order_id        text,
    source          text,
    status          text        NOT NULL DEFAULT 'asking',
    attempts        int         NOT NULL DEFAULT 0,
    unread          int         NOT NULL DEFAULT 0,
    known           boolean     NOT NULL DEFAULT false,
    turn            timestamptz NOT NULL DEFAULT now(),
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    asked_at        timestamptz,
    error           text,
    event_id        uuid,
    received_at     timestamptz NOT NULL,
    record          bytea       NOT NULL,
    CHECK (status IN ('asking', 'confirmed', 'untrue', 'unknown')),
    CHECK ((status = 'confirmed') = (event_id IS NOT NULL))
) WITH (fillfactor = 70);
CREATE INDEX verification_requests_due ON verification_requests (provider, least(attempts, 3), turn)
 WHERE status = 'asking';
CREATE INDEX verification_requests_known ON verification_requests (provider, least(attempts, 3), turn)
 WHERE status = 'asking' AND known;
CREATE INDEX verification_requests_newest ON verification_requests (provider, received_at)
 WHERE status = 'asking' AND attempts = 0;
CREATE INDEX verification_requests_alias ON verification_requests (provider, alias) WHERE status = 'asking';
CREATE INDEX verification_requests_event ON verification_requests (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX verification_requests_order ON verification_requests (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX verification_requests_ended ON verification_requests (received_at) WHERE status IN ('untrue', 'unknown');

CREATE TABLE orders (order_id text PRIMARY KEY);
CREATE TABLE turns (queue text PRIMARY KEY, turn timestamptz NOT NULL);
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE turns, orders, verification_requests")
