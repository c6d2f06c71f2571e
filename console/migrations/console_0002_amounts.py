"""Sum amounts by day, and index what the pages of quarantine and providers read."""

from alembic import op

revision = "console_0002"
down_revision = "console_0001"

# `start` is the first microsecond of a day of UTC, `amount` is in minor units of the currency.
AMOUNTS = """
CREATE TABLE daily_amounts (
    start    bigint NOT NULL,
    provider text   NOT NULL,
    type     text   NOT NULL,
    currency text   NOT NULL,
    amount   bigint NOT NULL,
    PRIMARY KEY (start, provider, type, currency)
) WITH (fillfactor = 50)
"""
SUM = """
INSERT INTO daily_amounts (start, provider, type, currency, amount)
SELECT events.received_at - mod(mod(events.received_at, 86400000000) + 86400000000, 86400000000),
       coalesce(body ->> 'provider', webhooks.provider, 'unknown'), events.type, body ->> 'currency',
       sum((body ->> 'amount')::bigint)
  FROM domain_events AS events
  LEFT JOIN webhooks ON webhook_id = CASE WHEN caused_by ~ '^[0-9a-f-]{36}$' THEN caused_by::uuid END
 WHERE events.type IN ('PaymentCompleted', 'PaymentRefunded', 'RefundCompleted') AND body ->> 'amount' IS NOT NULL
 GROUP BY 1, 2, 3, 4
"""
MONEY = """
CREATE INDEX domain_events_money ON domain_events (received_at)
 WHERE type IN ('PaymentCompleted', 'PaymentRefunded', 'RefundCompleted')
"""
# Few webhooks have one of these kinds. A page that shows them read those of the other kinds too, from the heap.
ASIDE = """
CREATE INDEX webhooks_aside ON webhooks (kind, received_at) WHERE kind IN ('unconfirmed', 'quarantine', 'unverified')
"""
# A refusal's row has 2 KB of its body; what is counted is read from the index alone.
REFUSALS = """
CREATE INDEX refusals_received ON refusals (received_at, refusal_id) INCLUDE (provider, cause, source, retired_secret)
"""


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    for statement in (AMOUNTS, SUM, "DROP INDEX domain_events_money, webhooks_unverified, refusals_received"):
        op.execute(statement)
    for statement in (ASIDE, REFUSALS):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE daily_amounts")
    op.execute("DROP INDEX webhooks_aside, refusals_received")
    op.execute("CREATE INDEX refusals_received ON refusals (received_at, refusal_id)")
    op.execute("CREATE INDEX webhooks_unverified ON webhooks (received_at) WHERE kind = 'unverified'")
    op.execute(MONEY)
