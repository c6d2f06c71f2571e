"""Add aliases with their pending state, refunded amounts, and history without an order."""

from alembic import op

revision = "payment_0002"
down_revision = "payment_0001"

UP = """
CREATE TABLE "references" (
    provider      text NOT NULL,
    reference     text NOT NULL,
    order_id      text,
    orphan        json,
    waiting_since timestamptz,
    PRIMARY KEY (provider, reference)
) WITH (fillfactor = 80);
CREATE INDEX references_waiting ON "references" (waiting_since) WHERE waiting_since IS NOT NULL;

COMMENT ON COLUMN "references".orphan IS 'what was told under this name while no order was known';

ALTER TABLE payments ADD COLUMN cancels json NOT NULL DEFAULT '{}';
ALTER TABLE transactions ADD COLUMN refunded_amount bigint;
ALTER TABLE transactions ALTER COLUMN status DROP NOT NULL;
ALTER TABLE payment_history ALTER COLUMN order_id DROP NOT NULL;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("""
        DELETE FROM payment_history WHERE order_id IS NULL;
        ALTER TABLE payment_history ALTER COLUMN order_id SET NOT NULL;
        ALTER TABLE transactions DROP COLUMN refunded_amount;
        ALTER TABLE payments DROP COLUMN cancels;
        DROP TABLE "references";
    """)
