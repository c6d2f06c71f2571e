"""Add disputes of a payment, which may be reported before the payment itself."""

from alembic import op

revision = "payment_0004"
down_revision = "payment_0003"

UP = """
ALTER TABLE payments
    ADD COLUMN disputes json NOT NULL DEFAULT '{}',
    ADD COLUMN dispute_id text,
    ADD COLUMN dispute_status text,
    ADD COLUMN dispute_reason text,
    ADD COLUMN disputed_amount bigint,
    ADD COLUMN disputed_currency text,
    ADD COLUMN dispute_due_at timestamptz,
    ADD COLUMN charged_back_amount bigint NOT NULL DEFAULT 0,
    ALTER COLUMN status DROP NOT NULL,
    ALTER COLUMN provider DROP NOT NULL;

COMMENT ON COLUMN payments.disputes IS 'each dispute''s registers by its id; dispute_… show the most urgent of them';
COMMENT ON COLUMN payments.dispute_due_at IS 'until when the bank takes an answer';
COMMENT ON COLUMN payments.charged_back_amount IS 'taken back by banks in lost disputes; no refund of the shop''s';
COMMENT ON COLUMN payments.status IS 'null while only a dispute of the payment is known';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("""
        DELETE FROM payments WHERE status IS NULL;
        ALTER TABLE payments
            DROP COLUMN disputes, DROP COLUMN dispute_id, DROP COLUMN dispute_status, DROP COLUMN dispute_reason,
            DROP COLUMN disputed_amount, DROP COLUMN disputed_currency, DROP COLUMN dispute_due_at,
            DROP COLUMN charged_back_amount, ALTER COLUMN status SET NOT NULL, ALTER COLUMN provider SET NOT NULL;
    """)
