"""Add aliases with their pending refunds, and refunds in crypto."""

from alembic import op

revision = "refund_0002"
down_revision = "refund_0001"

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

ALTER TABLE refunds ADD COLUMN crypto_amount text, ADD COLUMN crypto_asset text;
ALTER TABLE refund_history ALTER COLUMN order_id DROP NOT NULL;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("""
        DELETE FROM refund_history WHERE order_id IS NULL;
        ALTER TABLE refund_history ALTER COLUMN order_id SET NOT NULL;
        ALTER TABLE refunds DROP COLUMN crypto_amount, DROP COLUMN crypto_asset;
        DROP TABLE "references";
    """)
