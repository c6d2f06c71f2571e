"""The log's tables: the SQL of the worker. The API's SQL is in `console.api`, the clean-up's in `retention`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import Connection

from console import row_mapping, terms
from console.domain import OutcomeReport, WebhookState
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
from stream.store.bulk_sql import write

# The first record about a webhook creates its row, and all of them lock it. So a webhook and its outcomes cannot miss
# each other in two concurrent transactions. A row that does not change is locked by ON CONFLICT without being written.
# The ids are sorted, so that two consoles lock rows in the same order.
UPSERT_WEBHOOKS = """
INSERT INTO webhooks (webhook_id, kind, provider, provider_event_id, verification_request_id, type, event_type,
                      order_id, customer_id, verification, path, headers, payload, aside, occurred_at, received_at,
                      aliases, provider_ids)
SELECT webhook_id, kind, provider, provider_event_id, verification_request_id, type, event_type, order_id, customer_id,
       verification, path, headers::json, payload, aside, occurred_at, received_at,
       coalesce(string_to_array(aliases, E'\n'), '{}'), string_to_array(provider_ids, E'\n')
  FROM unnest(%(ids)b::text[]::uuid[], %(kinds)b::text[], %(providers)b::text[], %(names)b::text[],
              %(requests)b::text[]::uuid[], %(types)b::text[], %(event_types)b::text[], %(orders)b::text[],
              %(customers)b::text[], %(verifications)b::text[], %(paths)b::text[], %(headers)b::text[],
              %(payloads)b::bytea[], %(asides)b::text[], %(occurred)b::bigint[], %(received)b::bigint[],
              %(aliases)b::text[], %(provider_ids)b::text[])
       AS saved (webhook_id, kind, provider, provider_event_id, verification_request_id, type, event_type, order_id,
                customer_id, verification, path, headers, payload, aside, occurred_at, received_at, aliases,
                provider_ids)
 ORDER BY webhook_id
ON CONFLICT (webhook_id) DO UPDATE
   SET kind = excluded.kind, provider = excluded.provider, provider_event_id = excluded.provider_event_id,
       verification_request_id = excluded.verification_request_id, type = excluded.type,
       event_type = excluded.event_type, order_id = excluded.order_id, customer_id = excluded.customer_id,
       verification = excluded.verification,
       path = excluded.path, headers = excluded.headers, payload = excluded.payload, aside = excluded.aside,
       occurred_at = excluded.occurred_at, received_at = excluded.received_at, aliases = excluded.aliases,
       provider_ids = excluded.provider_ids
 WHERE excluded.kind IS NOT NULL
"""
WEBHOOK_COLUMNS = (
    "ids kinds providers names requests types event_types orders customers verifications paths headers payloads "
    "asides occurred received aliases provider_ids"
)

# If several events name one verification request, the least id wins, so that the result does not depend on their order.
MARK_CONFIRMED = """
UPDATE webhooks SET confirmed_as = least(confirmed_as, saved.event_id)
  FROM unnest(%(requests)b::text[]::uuid[], %(ids)b::text[]::uuid[]) AS saved (verification_request_id, event_id)
 WHERE webhooks.webhook_id = saved.verification_request_id
"""

INSERT_OUTCOMES = """
INSERT INTO outcomes (event_id, service, topic, partition, "offset", outcome, attempt, error, at)
SELECT * FROM unnest(%(ids)b::text[]::uuid[], %(services)b::text[], %(topics)b::text[], %(partitions)b::int[],
                     %(offsets)b::bigint[], %(outcomes)b::text[], %(attempts)b::int[], %(errors)b::text[],
                     %(times)b::bigint[])
ON CONFLICT DO NOTHING
"""
OUTCOME_COLUMNS = "ids services topics partitions offsets outcomes attempts errors times"

READ = """
SELECT webhook_id::text, aside, confirmed_as IS NOT NULL, service, topic, partition, "offset", outcome, attempt,
       outcomes.error, at
  FROM webhooks LEFT JOIN outcomes ON event_id = webhook_id
 WHERE webhook_id = ANY (%(ids)b::text[]::uuid[])
"""

# A record that no service could read has no webhook here; its received_at is when it was first dead-lettered.
UPDATE_STATES = """
UPDATE webhooks SET status = saved.status, retry_count = saved.retry_count, last_retry_at = saved.last_retry_at,
       error = saved.error, note = saved.note, settled_at = saved.settled_at,
       received_at = CASE WHEN kind IS NULL THEN saved.dead_at ELSE received_at END
  FROM unnest(%(ids)b::text[]::uuid[], %(statuses)b::text[], %(counts)b::int[], %(retried)b::bigint[],
              %(errors)b::text[], %(notes)b::text[], %(settled)b::bigint[], %(dead)b::bigint[])
       AS saved (webhook_id, status, retry_count, last_retry_at, error, note, settled_at, dead_at)
 WHERE webhooks.webhook_id = saved.webhook_id
   AND (webhooks.status, webhooks.retry_count, webhooks.last_retry_at, webhooks.error, webhooks.note,
        webhooks.settled_at)
       IS DISTINCT FROM
       (saved.status, saved.retry_count, saved.last_retry_at, saved.error, saved.note, saved.settled_at)
    OR webhooks.webhook_id = saved.webhook_id AND kind IS NULL AND received_at IS DISTINCT FROM saved.dead_at
"""

INSERT_EVENTS = """
INSERT INTO domain_events (event_id, type, order_id, customer_id, caused_by, occurred_at, received_at, body)
SELECT id, type, order_id, customer_id, caused_by, occurred_at, received_at, body::json
  FROM unnest(%(ids)b::text[]::uuid[], %(types)b::text[], %(orders)b::text[], %(customers)b::text[],
              %(causes)b::text[], %(occurred)b::bigint[], %(received)b::bigint[], %(bodies)b::text[])
       AS saved (id, type, order_id, customer_id, caused_by, occurred_at, received_at, body)
ON CONFLICT DO NOTHING
"""
EVENT_COLUMNS = "ids types orders customers causes occurred received bodies"

INSERT_MAILS = """
INSERT INTO mails (notification_id, event_id, event_type, audience, channel, order_id, customer_id, locale, message_id,
                   sent_at)
SELECT * FROM unnest(%(ids)b::text[]::uuid[], %(events)b::text[], %(types)b::text[], %(audiences)b::text[],
                     %(channels)b::text[], %(orders)b::text[], %(customers)b::text[], %(locales)b::text[],
                     %(messages)b::text[], %(times)b::bigint[])
ON CONFLICT DO NOTHING
"""
MAIL_COLUMNS = "ids events types audiences channels orders customers locales messages times"

# Each new row also counts in its hour; the keys are sorted, so that two consoles lock counts in the same order.
INSERT_REFUSALS = """
WITH inserted AS (
INSERT INTO refusals (refusal_id, provider, path, cause, headers, digest, excerpt, received_at, order_ids,
                      source, retired_secret)
SELECT id, provider, path, cause, headers::json, digest, excerpt, received_at,
       coalesce(string_to_array(orders, E'\n'), '{}'), source, retired_secret
  FROM unnest(%(ids)b::text[]::uuid[], %(providers)b::text[], %(paths)b::text[], %(causes)b::text[],
              %(headers)b::text[], %(digests)b::bytea[], %(excerpts)b::bytea[], %(received)b::bigint[],
              %(orders)b::text[], %(sources)b::text[], %(retired)b::text[])
       AS saved (id, provider, path, cause, headers, digest, excerpt, received_at, orders, source, retired_secret)
ON CONFLICT DO NOTHING RETURNING provider, cause, received_at)
INSERT INTO refusal_counts AS counted (start, provider, cause, count)
SELECT received_at - mod(received_at, 3600000000), provider, cause, count(*) FROM inserted
 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
ON CONFLICT (start, provider, cause) DO UPDATE SET count = counted.count + excluded.count
"""
REFUSAL_COLUMNS = "ids providers paths causes headers digests excerpts received orders sources retired"
INSERT_ACTIONS = """
INSERT INTO actions (action_id, result, at, user_name, role, action, target, parameters, detail)
SELECT id, result, at, user_name, role, action, target, parameters::json, detail
  FROM unnest(%(ids)b::text[]::uuid[], %(results)b::text[], %(times)b::bigint[], %(users)b::text[], %(roles)b::text[],
              %(actions)b::text[], %(targets)b::text[], %(parameters)b::text[], %(details)b::text[])
       AS record (id, result, at, user_name, role, action, target, parameters, detail)
ON CONFLICT DO NOTHING
"""
ACTION_COLUMNS = "ids results times users roles actions targets parameters details"

# An order's version only grows.
UPSERT_ORDERS = """
INSERT INTO order_states (order_id, version, state)
SELECT order_id, version, state::json
  FROM unnest(%(ids)b::text[], %(versions)b::bigint[], %(states)b::text[]) AS stated (order_id, version, state)
ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, state = excluded.state
 WHERE excluded.version >= order_states.version
"""

# A ledger's balance only grows, so the higher of two balances is the later one. The credits of an invoice arrive in
# order; those of a customer come from several partitions and may not.
RAISE_BALANCES = """
INSERT INTO balances (customer_id, currency, balance, at)
SELECT * FROM unnest(%(customers)b::text[], %(currencies)b::text[], %(balances)b::bigint[], %(times)b::bigint[])
ON CONFLICT (customer_id, currency) DO UPDATE SET balance = excluded.balance, at = excluded.at
 WHERE excluded.balance > balances.balance
"""
# The schema is part of the channel, so that a replay in another schema notifies nobody.
NOTIFY_BALANCES = "SELECT pg_notify('balances.' || current_schema(), change) FROM unnest(%(changes)b::text[]) AS change"


INSERT_TERMS = """
INSERT INTO search_terms (subject, is_refusal, terms)
SELECT subject, is_refusal, string_to_array(terms, ' ')::int[]
  FROM unnest(%(subjects)b::text[]::uuid[], %(refusals)b::bool[], %(terms)b::text[])
       AS record (subject, is_refusal, terms)
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class StoredWebhook:
    """The inputs of a webhook's state: quarantine, confirmation, and the outcomes that services reported."""

    quarantined_because: str | None
    is_confirmed: bool
    reports: list[OutcomeReport]


def upsert_webhooks(
    tx: Connection, webhook_ids: Iterable[str], webhooks: Iterable[Webhook], quarantined: Iterable[QuarantinedWebhook]
) -> None:
    """Write the webhooks, and lock the rows of all `webhook_ids` until the transaction ends.

    Missing rows are created. `webhook_ids` must be sorted, so that concurrent consoles lock rows in the same order.
    """
    described = {
        cells[0]: cells
        for cells in chain(map(row_mapping.webhook, webhooks), map(row_mapping.quarantined, quarantined))
    }
    write(
        tx,
        UPSERT_WEBHOOKS,
        WEBHOOK_COLUMNS,
        [described.get(webhook_id) or (webhook_id, *row_mapping.UNKNOWN_CELLS) for webhook_id in webhook_ids],
    )


def mark_confirmed(tx: Connection, requests: Mapping[str, str]) -> None:
    """Store which event each unconfirmed webhook became; `requests` maps verification request id to event id."""
    write(tx, MARK_CONFIRMED, "requests ids", requests.items())


def insert_outcomes(tx: Connection, outcomes: Iterable[Outcome]) -> None:
    """Insert outcomes of webhooks and domain events; known ones are ignored."""
    write(tx, INSERT_OUTCOMES, OUTCOME_COLUMNS, [row_mapping.outcome(outcome) for outcome in outcomes])


def read(tx: Connection, webhook_ids: Sequence[str]) -> dict[str, StoredWebhook]:
    """Return these webhooks by id, without those that have no row."""
    stored: dict[str, StoredWebhook] = {}
    for webhook_id, because, is_confirmed, *report in tx.exec_driver_sql(READ, {"ids": list(webhook_ids)}):
        webhook = stored.setdefault(webhook_id, StoredWebhook(because, is_confirmed, []))
        if report[0] is not None:
            webhook.reports.append(OutcomeReport(*report))
    return stored


def update_states(tx: Connection, states: Mapping[str, WebhookState]) -> None:
    """Write the states that have changed."""
    rows = [
        (webhook_id, s.status, s.retry_count, s.last_retry_at, s.error, s.note, s.settled_at, s.first_dead_at)
        for webhook_id, s in states.items()
    ]
    write(tx, UPDATE_STATES, "ids statuses counts retried errors notes settled dead", rows)


def insert_events(tx: Connection, events: Iterable[DomainEvent]) -> None:
    """Insert domain events; known ones are ignored."""
    write(tx, INSERT_EVENTS, EVENT_COLUMNS, [row_mapping.domain_event(event) for event in events])


def insert_mails(tx: Connection, mails: Iterable[NotificationSent]) -> None:
    """Insert sent mails; known ones are ignored."""
    write(tx, INSERT_MAILS, MAIL_COLUMNS, [row_mapping.mail(mail) for mail in mails])


def insert_refusals(tx: Connection, webhooks: Iterable[RejectedWebhook]) -> None:
    """Insert rejected requests; known ones are ignored."""
    write(tx, INSERT_REFUSALS, REFUSAL_COLUMNS, [row_mapping.refusal(webhook) for webhook in webhooks])


def insert_actions(tx: Connection, actions: Iterable[ConsoleAction]) -> None:
    """Insert people's actions; known ones are ignored."""
    write(tx, INSERT_ACTIONS, ACTION_COLUMNS, [row_mapping.action(action) for action in actions])


def upsert_orders(tx: Connection, statuses: Iterable[OrderStatus]) -> None:
    """Store the newest state of each order."""
    newest = {status.order_id: status for status in sorted(statuses, key=lambda status: status.version)}
    rows = [row_mapping.order_state(newest[order_id]) for order_id in sorted(filter(None, newest))]
    write(tx, UPSERT_ORDERS, "ids versions states", rows)


def insert_terms(tx: Connection, records: Iterable[Webhook | QuarantinedWebhook | RejectedWebhook]) -> None:
    """Insert the terms by which bodies are found; those of known records are ignored."""
    write(tx, INSERT_TERMS, "subjects refusals terms", [terms.row(record) for record in records])


def raise_balances(tx: Connection, credits_added: Iterable[CreditAdded]) -> None:
    """Store each customer's highest balance by currency, and notify listeners of every change in order."""
    changes = sorted((credit for credit in credits_added if credit.customer_id), key=row_mapping.account)
    newest = {row_mapping.account(credit)[:2]: credit for credit in changes}
    balances = [(*account, credit.balance, row_mapping.at(credit)) for account, credit in newest.items()]
    write(tx, RAISE_BALANCES, "customers currencies balances times", balances)
    write(tx, NOTIFY_BALANCES, "changes", [(row_mapping.change(credit),) for credit in changes])
