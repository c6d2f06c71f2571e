"""Sums of the amounts that domain events report, by day, provider, type and currency: the SQL of the worker."""

import re
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from stream.events import DomainEvent, PaymentCompleted, PaymentRefunded, RefundCompleted, RefundWebhook, Webhook

REPORTING = (PaymentCompleted, PaymentRefunded, RefundCompleted)
"""The events whose amounts are summed."""

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# A refund's event does not name its provider: the webhook that caused it does, and may be read later, by another
# console. Both transactions lock the webhook's row (`handler`), so the second one sees what the first has written, and
# moves the amount from `unknown` to the provider. The keys are sorted, so that two consoles lock sums in one order.
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


def causes(events: Iterable[DomainEvent]) -> set[str]:
    """Return the ids of the webhooks whose provider the sums of these events need."""
    return {
        event.caused_by for event in events if isinstance(event, RefundCompleted) and UUID.fullmatch(event.caused_by)
    }


def add(tx: Connection, events: Iterable[DomainEvent], webhooks: Iterable[Webhook]) -> None:
    """Add the amounts of new events, and move those of earlier ones to the provider of webhooks that are new.

    Both must be stored, and the rows of `causes` be locked.
    """
    reported: Sequence[str] = [event.event_id for event in events if isinstance(event, REPORTING)]
    refunds = [webhook.envelope.event_id for webhook in webhooks if isinstance(webhook, RefundWebhook)]
    if reported or refunds:
        tx.exec_driver_sql(ADD, {"events": reported, "refunds": refunds})
