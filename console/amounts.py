"""Sums of the amounts that domain events report, by day, provider, type and currency: the SQL of the worker."""

from collections.abc import Iterable, Sequence
from zlib import crc32

from sqlalchemy import Connection

from stream.events import DomainEvent, PaymentCompleted, PaymentRefunded, RefundCompleted, RefundWebhook, Webhook

REPORTING = (PaymentCompleted, PaymentRefunded, RefundCompleted)
"""The events whose amounts are summed."""

LOCK_CLASS, LOCKS = 0x616D6F75, 64
"""The first key of the advisory locks, and how many second keys there are.

Webhooks share these locks, because a batch may concern more webhooks than Postgres has locks.
"""
LOCK = f"SELECT pg_advisory_xact_lock({LOCK_CLASS}, number) FROM unnest(%(numbers)b::int[]) AS number"  # noqa: S608

# A refund's event does not name its provider: the webhook that caused it does, and may be read later, by another
# console. Both transactions take the webhook's lock first, so the second one sees what the first has written, and moves
# the amount from `unknown` to the provider. The keys are sorted, so that two consoles lock sums in one order.
ADD = """
WITH new AS (
    SELECT domain_events.type, domain_events.received_at, body,
           coalesce(body ->> 'provider', webhooks.provider, 'unknown') AS provider, 1 AS sign
      FROM domain_events LEFT JOIN webhooks
        ON webhook_id = CASE WHEN caused_by ~ '^[0-9a-f-]{36}$' AND body ->> 'provider' IS NULL THEN caused_by::uuid END
     WHERE event_id = ANY (%(events)b::text[]::uuid[])),
late AS (
    SELECT domain_events.type, domain_events.received_at, body, webhooks.provider
      FROM webhooks JOIN domain_events ON caused_by = webhook_id::text
     WHERE webhook_id = ANY (%(refunds)b::text[]::uuid[]) AND webhooks.provider IS NOT NULL
       AND domain_events.type = 'RefundCompleted' AND event_id <> ALL (%(events)b::text[]::uuid[])),
changes AS (
    SELECT * FROM new
     UNION ALL SELECT *, 1 FROM late
     UNION ALL SELECT type, received_at, body, 'unknown', -1 FROM late)
INSERT INTO daily_amounts AS kept (start, provider, type, currency, amount)
SELECT received_at - mod(mod(received_at, 86400000000) + 86400000000, 86400000000), provider, type,
       body ->> 'currency', sum(sign * (body ->> 'amount')::bigint)
  FROM changes WHERE body ->> 'amount' IS NOT NULL
 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
ON CONFLICT (start, provider, type, currency) DO UPDATE SET amount = kept.amount + excluded.amount
"""


def add(tx: Connection, events: Sequence[DomainEvent], webhooks: Iterable[Webhook]) -> None:
    """Add the amounts of new domain events to the sums of their day, provider, type and currency.

    The amount of a refund whose webhook was not known counts for `unknown`; `webhooks`, the new ones, move such amounts
    to their provider. Events and webhooks must be stored before, in the same transaction.
    """
    reported: Sequence[str] = [event.event_id for event in events if isinstance(event, REPORTING)]
    refunds = [webhook.envelope.event_id for webhook in webhooks if isinstance(webhook, RefundWebhook)]
    if reported or refunds:
        causes = [event.caused_by for event in events if isinstance(event, RefundCompleted)]
        tx.exec_driver_sql(LOCK, {"numbers": sorted({crc32(cause.encode()) % LOCKS for cause in (*causes, *refunds)})})
        tx.exec_driver_sql(ADD, {"events": reported, "refunds": refunds})
