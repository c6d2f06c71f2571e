"""Index contract C's payment key and user."""

from alembic import op

revision = "payment_0005"
down_revision = "payment_0004"

UP = """
CREATE INDEX payments_transaction ON payments (transaction_id) WHERE transaction_id IS NOT NULL;
CREATE INDEX payments_user ON payments (user_id) WHERE user_id IS NOT NULL;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP INDEX payments_transaction, payments_user")
