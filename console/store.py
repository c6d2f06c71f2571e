"""Writes the log: the SQL of the worker. Queries are in `console.queries`, the clean-up's SQL is in `retention`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import Connection

from console import terms
from console.domain import OutcomeReport, WebhookState
from console.row_mapping import records
from console.row_mapping import webhooks as webhook_rows
from console.tables.log import balances, domain_events, mails, order_states, outcomes, webhooks
from console.tables.refusals import refusals, search_terms
from console.tables.work import actions
from stream.events import (
    ConsoleAction,
    CreditAdded,
    DomainEvent,
    NotificationSent,
    OrderStatus,
    Outcome,
    QuarantinedWebhook,
    RejectedWebhook,
    Webhook,
)
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
INSERT_EVENTS = statements.insert_new(domain_events)
INSERT_MAILS = statements.insert_new(mails)

# Each new row also counts in its hour; the keys are sorted, so that two consoles lock counts in the same order.
NEW_REFUSALS = statements.insert_new(refusals).followed_by("RETURNING provider, cause, received_at")
INSERT_REFUSALS = BulkStatement(
    f"""
WITH inserted AS ({NEW_REFUSALS.text})
INSERT INTO refusal_counts AS counted (start, provider, cause, count)
SELECT received_at - mod(received_at, 3600000000), provider, cause, count(*) FROM inserted
 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
ON CONFLICT (start, provider, cause) DO UPDATE SET count = counted.count + excluded.count
""",  # noqa: S608 - put together from constants
    NEW_REFUSALS.columns,
)
INSERT_ACTIONS = statements.insert_new(actions)
INSERT_TERMS = statements.insert_new(search_terms)

# An order's version only grows.
UPSERT_ORDERS = statements.upsert(order_states).followed_by("WHERE excluded.version >= order_states.version")

# A ledger's balance only grows, so the higher of two balances is the later one. The credits of an invoice arrive in
# order; those of a customer come from several partitions and may not.
RAISE_BALANCES = statements.upsert(balances).followed_by("WHERE excluded.balance > balances.balance")
# The schema is part of the channel, so that a replay in another schema notifies nobody.
NOTIFY_BALANCES = "SELECT pg_notify('balances.' || current_schema(), change) FROM unnest(%(changes)b::text[]) AS change"


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
    as they are. It must be sorted, so that concurrent replicas lock rows in the same order. States are not written.
    """
    described = {
        row["webhook_id"]: row
        for row in chain(map(webhook_rows.webhook, new), map(webhook_rows.quarantined, quarantined))
    }
    UPSERT_WEBHOOKS.execute(
        tx, [described.get(webhook_id) or webhook_rows.unknown(webhook_id) for webhook_id in webhook_ids]
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


def read(tx: Connection, webhook_ids: Sequence[str]) -> dict[str, StoredWebhook]:
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


def insert_events(tx: Connection, events: Iterable[DomainEvent]) -> None:
    """Insert domain events; known ones are ignored."""
    INSERT_EVENTS.execute(tx, map(records.domain_event, events))


def insert_mails(tx: Connection, sent: Iterable[NotificationSent]) -> None:
    """Insert sent mails; known ones are ignored."""
    INSERT_MAILS.execute(tx, map(records.mail, sent))


def insert_refusals(tx: Connection, refused: Iterable[RejectedWebhook]) -> None:
    """Insert refused requests, and add them to the counts of their hours; known ones are ignored."""
    INSERT_REFUSALS.execute(tx, map(records.refusal, refused))


def insert_actions(tx: Connection, taken: Iterable[ConsoleAction]) -> None:
    """Insert people's actions; known ones are ignored."""
    INSERT_ACTIONS.execute(tx, map(records.action, taken))


def upsert_orders(tx: Connection, statuses: Iterable[OrderStatus]) -> None:
    """Store the newest state of each order, by its version; states without an order are ignored."""
    newest = {status.order_id: status for status in sorted(statuses, key=lambda status: status.version)}
    UPSERT_ORDERS.execute(tx, [records.order_state(newest[order_id]) for order_id in sorted(filter(None, newest))])


def insert_terms(tx: Connection, searchable: Iterable[Webhook | QuarantinedWebhook | RejectedWebhook]) -> None:
    """Insert the terms by which bodies are found; those of known records are ignored."""
    INSERT_TERMS.execute(tx, map(terms.row, searchable))


def raise_balances(tx: Connection, credits_added: Iterable[CreditAdded]) -> None:
    """Store each customer's highest balance by currency, and notify listeners of every credit in order.

    Credits without a customer are ignored. Listeners are notified when the transaction commits.
    """
    changes = sorted((credit for credit in credits_added if credit.customer_id), key=records.account)
    if changes:
        newest = {records.account(credit)[:2]: credit for credit in changes}
        RAISE_BALANCES.execute(tx, map(records.balance, newest.values()))
        tx.exec_driver_sql(NOTIFY_BALANCES, {"changes": [records.change(credit) for credit in changes]})
