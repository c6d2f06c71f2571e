"""Writes webhooks, the outcomes that services report, and the states that follow from them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import Connection

from console.domain import OutcomeReport, WebhookState
from console.row_mapping import webhooks as webhook_rows
from console.tables.log import outcomes, webhooks
from stream.events import Outcome, QuarantinedWebhook, Webhook
from stream.store import statements
from stream.store.statements import BulkStatement

STATE = ("status", "retry_count", "last_retry_at", "error", "note", "settled_at")

# The first record about a webhook creates its row, and all of them lock it. So a webhook and its outcomes cannot miss
# each other in two concurrent transactions. A row that does not change is locked by ON CONFLICT without being written.
UPSERT_WEBHOOKS = statements.upsert(webhooks, without=["confirmed_as", *STATE]).followed_by(
    "WHERE excluded.kind IS NOT NULL"
)

# If several events name one verification request, the least id wins, so that the result does not depend on their order.
MARK_CONFIRMED = BulkStatement(
    """
UPDATE webhooks SET confirmed_as = least(confirmed_as, saved.event_id)
  FROM unnest(%(verification_request_id)b::text[]::uuid[], %(event_id)b::text[]::uuid[])
       AS saved (verification_request_id, event_id)
 WHERE webhooks.webhook_id = saved.verification_request_id
""",
    ("verification_request_id", "event_id"),
)
INSERT_OUTCOMES = statements.insert_new(outcomes)

READ = """
SELECT webhook_id::text, aside, confirmed_as IS NOT NULL, service, topic, partition, "offset", outcome, attempt,
       outcomes.error, at
  FROM webhooks LEFT JOIN outcomes ON event_id = webhook_id
 WHERE webhook_id = ANY (%(ids)b::text[]::uuid[])
"""

# A record that no service could read has no webhook here; its received_at is when it was first dead-lettered.
UPDATE_STATES = BulkStatement(
    """
UPDATE webhooks SET status = saved.status, retry_count = saved.retry_count, last_retry_at = saved.last_retry_at,
       error = saved.error, note = saved.note, settled_at = saved.settled_at,
       received_at = CASE WHEN kind IS NULL THEN saved.dead_at ELSE received_at END
  FROM unnest(%(webhook_id)b::text[]::uuid[], %(status)b::text[], %(retry_count)b::int[], %(last_retry_at)b::bigint[],
              %(error)b::text[], %(note)b::text[], %(settled_at)b::bigint[], %(dead_at)b::bigint[])
       AS saved (webhook_id, status, retry_count, last_retry_at, error, note, settled_at, dead_at)
 WHERE webhooks.webhook_id = saved.webhook_id
   AND (webhooks.status, webhooks.retry_count, webhooks.last_retry_at, webhooks.error, webhooks.note,
        webhooks.settled_at)
       IS DISTINCT FROM
       (saved.status, saved.retry_count, saved.last_retry_at, saved.error, saved.note, saved.settled_at)
    OR webhooks.webhook_id = saved.webhook_id AND kind IS NULL AND received_at IS DISTINCT FROM saved.dead_at
""",
    ("webhook_id", *STATE, "dead_at"),
)


@dataclass(frozen=True, slots=True)
class StoredWebhook:
    """The inputs of `webhook_state`: the reason of a quarantine or None, confirmation, and the reported outcomes."""

    quarantined_because: str | None
    is_confirmed: bool
    reports: list[OutcomeReport]


def upsert_webhooks(
    tx: Connection, webhook_ids: Iterable[str], new: Iterable[Webhook], quarantined: Iterable[QuarantinedWebhook]
) -> None:
    """Write the webhooks, and lock the rows of all `webhook_ids` until the transaction ends.

    `webhook_ids` must contain the ids of `new` and `quarantined`; rows of other ids are created if missing, else left
    as they are. States are not written.
    """
    described = {
        row["webhook_id"]: row
        for row in chain(map(webhook_rows.webhook, new), map(webhook_rows.quarantined, quarantined))
    }
    in_order = sorted(webhook_ids)  # every replica locks in this order, so that two cannot deadlock
    UPSERT_WEBHOOKS.execute(
        tx, [described.get(webhook_id) or webhook_rows.unknown(webhook_id) for webhook_id in in_order]
    )


def mark_confirmed(tx: Connection, requests: Mapping[str, str]) -> None:
    """Store which event each unconfirmed webhook became; `requests` maps verification request ids to event ids.

    The id of a verification request is that of its unconfirmed webhook. A webhook without a row is ignored.
    """
    rows = [{"verification_request_id": request_id, "event_id": event_id} for request_id, event_id in requests.items()]
    MARK_CONFIRMED.execute(tx, rows)


def insert_outcomes(tx: Connection, reported: Iterable[Outcome]) -> None:
    """Insert outcomes of webhooks and domain events; known ones are ignored."""
    INSERT_OUTCOMES.execute(tx, map(webhook_rows.outcome, reported))


def read(tx: Connection, webhook_ids: Collection[str]) -> dict[str, StoredWebhook]:
    """Return the inputs of the states of these webhooks by id; webhooks without a row are missing."""
    stored: dict[str, StoredWebhook] = {}
    for webhook_id, because, is_confirmed, *report in tx.exec_driver_sql(READ, {"ids": list(webhook_ids)}):
        webhook = stored.setdefault(webhook_id, StoredWebhook(because, is_confirmed, []))
        if report[0] is not None:
            webhook.reports.append(OutcomeReport(*report))
    return stored


def update_states(tx: Connection, states: Mapping[str, WebhookState]) -> None:
    """Write the states, by webhook id; rows that would not change stay unwritten.

    A webhook of which only outcomes are known gets the time of its first dead-lettering as time of receipt.
    """
    UPDATE_STATES.execute(tx, [webhook_rows.state(webhook_id, state) for webhook_id, state in states.items()])
