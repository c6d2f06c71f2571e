"""Count refused requests by hour, and index mails by time: the overview reads both."""

from alembic import op

revision = "console_0008"
down_revision = "console_0007"

COUNT = """
INSERT INTO refusal_counts (start, provider, cause, count)
SELECT received_at - mod(received_at, 3600000000), provider, cause, count(*) FROM refusals GROUP BY 1, 2, 3
"""


def upgrade() -> None:
    op.execute(
        "CREATE TABLE refusal_counts (start bigint NOT NULL, provider text NOT NULL, cause text NOT NULL,"
        " count bigint NOT NULL, PRIMARY KEY (start, provider, cause)) WITH (fillfactor = 50)"
    )
    op.execute(COUNT)
    op.execute("CREATE INDEX mails_sent ON mails (sent_at)")


def downgrade() -> None:
    op.execute("DROP INDEX mails_sent")
    op.execute("DROP TABLE refusal_counts")
