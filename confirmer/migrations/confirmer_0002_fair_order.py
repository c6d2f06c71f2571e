"""Order verifications fairly: add known orders and turns."""

from alembic import op

revision = "confirmer_0002"
down_revision = "confirmer_0001"

UP = """
CREATE TABLE orders (order_id text PRIMARY KEY);
CREATE TABLE turns (queue text PRIMARY KEY, turn timestamptz NOT NULL);
ALTER TABLE questions
    ADD COLUMN order_id text,
    ADD COLUMN source   text,
    ADD COLUMN known    boolean     NOT NULL DEFAULT false,
    ADD COLUMN turn     timestamptz NOT NULL DEFAULT now();
DROP INDEX questions_due;
CREATE INDEX questions_due ON questions (provider, least(attempts, 3), turn) WHERE status = 'asking';
CREATE INDEX questions_known ON questions (provider, least(attempts, 3), turn) WHERE status = 'asking' AND known;
CREATE INDEX questions_newest ON questions (provider, received_at) WHERE status = 'asking' AND attempts = 0;
CREATE INDEX questions_order ON questions (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX questions_ended ON questions (received_at) WHERE status IN ('untrue', 'unknown');
"""

DOWN = """
DROP INDEX questions_due, questions_known, questions_newest, questions_order, questions_ended;
CREATE INDEX questions_due ON questions (provider, next_attempt_at) WHERE status = 'asking';
ALTER TABLE questions DROP COLUMN order_id, DROP COLUMN source, DROP COLUMN known, DROP COLUMN turn;
DROP TABLE orders, turns;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
