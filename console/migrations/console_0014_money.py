"""Find domain events about money by their time, for the statistics by day."""

from alembic import op

revision = "console_0014"
down_revision = "console_0013"


def upgrade() -> None:
    op.execute(
        "CREATE INDEX domain_events_money ON domain_events (received_at)"
        " WHERE type IN ('PaymentCompleted', 'PaymentRefunded', 'RefundCompleted')"
    )


def downgrade() -> None:
    op.execute("DROP INDEX domain_events_money")
