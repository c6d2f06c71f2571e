"""The log at rest: all SQL of the worker and of the clean-up. What the API reads is in `lookup`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import Connection

from console import row_mapping
from console.domain import Standing, Statement
from stream.events import (
    CreditAdded,
    DomainEvent,
    NotificationSent,
    Outcome,
    QuarantinedWebhook,
    RejectedWebhook,
    Webhook,
)
from stream.store.bulk_sql import write

# A webhook's row is made by whichever of its traces comes first, and locked by all of them: so what is said of it and
# the webhook itself cannot pass each other unseen in two transactions. A row that is told nothing new is locked by
# ON CONFLICT and not written. The ids are sorted, so that two consoles lock them in one order.
DESCRIBE = """
INSERT INTO webhooks (webhook_id, kind, provider, provider_event_id, receipt_id, type, event_type, order_id,
                      customer_id, verification, path, headers, payload, aside, occurred_at, received_at, refs,
                      provider_ids)
SELECT webhook_id, kind, provider, provider_event_id, receipt_id, type, event_type, order_id, customer_id, verification,
       path, headers::json, payload, aside, occurred_at, received_at, coalesce(string_to_array(refs, E'\n'), '{}'),
       string_to_array(provider_ids, E'\n')
  FROM unnest(%(ids)b::text[]::uuid[], %(kinds)b::text[], %(providers)b::text[], %(names)b::text[],
              %(receipts)b::text[]::uuid[], %(types)b::text[], %(event_types)b::text[], %(orders)b::text[],
              %(customers)b::text[], %(verifications)b::text[], %(paths)b::text[], %(headers)b::text[],
              %(payloads)b::bytea[], %(asides)b::text[], %(occurred)b::bigint[], %(received)b::bigint[],
              %(refs)b::text[], %(provider_ids)b::text[])
       AS told (webhook_id, kind, provider, provider_event_id, receipt_id, type, event_type, order_id, customer_id,
                verification, path, headers, payload, aside, occurred_at, received_at, refs, provider_ids)
 ORDER BY webhook_id
ON CONFLICT (webhook_id) DO UPDATE
   SET kind = excluded.kind, provider = excluded.provider, provider_event_id = excluded.provider_event_id,
       receipt_id = excluded.receipt_id, type = excluded.type, event_type = excluded.event_type,
       order_id = excluded.order_id, customer_id = excluded.customer_id, verification = excluded.verification,
       path = excluded.path, headers = excluded.headers, payload = excluded.payload, aside = excluded.aside,
       occurred_at = excluded.occurred_at, received_at = excluded.received_at, refs = excluded.refs,
       provider_ids = excluded.provider_ids
 WHERE excluded.kind IS NOT NULL
"""
DESCRIBED = (
    "ids kinds providers names receipts types event_types orders customers verifications paths headers payloads "
    "asides occurred received refs provider_ids"
)

# Of several events that name one receipt the least id, so that the order they came in leaves no trace.
CONFIRM = """
UPDATE webhooks SET confirmed_as = least(confirmed_as, told.event_id)
  FROM unnest(%(receipts)b::text[]::uuid[], %(ids)b::text[]::uuid[]) AS told (receipt_id, event_id)
 WHERE webhooks.webhook_id = told.receipt_id
"""

KEEP_OUTCOMES = """
INSERT INTO outcomes (event_id, service, topic, partition, "offset", outcome, attempt, error, at)
SELECT * FROM unnest(%(ids)b::text[]::uuid[], %(services)b::text[], %(topics)b::text[], %(partitions)b::int[],
                     %(offsets)b::bigint[], %(outcomes)b::text[], %(attempts)b::int[], %(errors)b::text[],
                     %(times)b::bigint[])
ON CONFLICT DO NOTHING
"""
OUTCOME_COLUMNS = "ids services topics partitions offsets outcomes attempts errors times"

HELD = """
SELECT webhook_id::text, aside, confirmed_as IS NOT NULL, service, topic, partition, "offset", outcome, attempt,
       outcomes.error, at
  FROM webhooks LEFT JOIN outcomes ON event_id = webhook_id
 WHERE webhook_id = ANY (%(ids)b::text[]::uuid[])
"""

# What nobody could read has no webhook here either, and yet stands in the log from when it was first given up.
SETTLE = """
UPDATE webhooks SET status = told.status, retry_count = told.retry_count, last_retry_at = told.last_retry_at,
       error = told.error, note = told.note, settled_at = told.settled_at,
       received_at = CASE WHEN kind IS NULL THEN told.given_up_at ELSE received_at END
  FROM unnest(%(ids)b::text[]::uuid[], %(statuses)b::text[], %(counts)b::int[], %(retried)b::bigint[],
              %(errors)b::text[], %(notes)b::text[], %(settled)b::bigint[], %(given_up)b::bigint[])
       AS told (webhook_id, status, retry_count, last_retry_at, error, note, settled_at, given_up_at)
 WHERE webhooks.webhook_id = told.webhook_id
   AND (webhooks.status, webhooks.retry_count, webhooks.last_retry_at, webhooks.error, webhooks.note,
        webhooks.settled_at)
       IS DISTINCT FROM
       (told.status, told.retry_count, told.last_retry_at, told.error, told.note, told.settled_at)
    OR webhooks.webhook_id = told.webhook_id AND kind IS NULL AND received_at IS DISTINCT FROM told.given_up_at
"""

KEEP_FACTS = """
INSERT INTO facts (fact_id, type, order_id, customer_id, caused_by, occurred_at, received_at, body)
SELECT id, type, order_id, customer_id, caused_by, occurred_at, received_at, body::json
  FROM unnest(%(ids)b::text[]::uuid[], %(types)b::text[], %(orders)b::text[], %(customers)b::text[],
              %(causes)b::text[], %(occurred)b::bigint[], %(received)b::bigint[], %(bodies)b::text[])
       AS told (id, type, order_id, customer_id, caused_by, occurred_at, received_at, body)
ON CONFLICT DO NOTHING
"""
FACT_COLUMNS = "ids types orders customers causes occurred received bodies"

KEEP_MAILS = """
INSERT INTO mails (notification_id, fact_id, fact_type, audience, channel, order_id, customer_id, locale, message_id,
                   sent_at)
SELECT * FROM unnest(%(ids)b::text[]::uuid[], %(facts)b::text[], %(types)b::text[], %(audiences)b::text[],
                     %(channels)b::text[], %(orders)b::text[], %(customers)b::text[], %(locales)b::text[],
                     %(messages)b::text[], %(times)b::bigint[])
ON CONFLICT DO NOTHING
"""
MAIL_COLUMNS = "ids facts types audiences channels orders customers locales messages times"

KEEP_REFUSALS = """
INSERT INTO refusals (refusal_id, provider, path, cause, headers, digest, excerpt, received_at)
SELECT id, provider, path, cause, headers::json, digest, excerpt, received_at
  FROM unnest(%(ids)b::text[]::uuid[], %(providers)b::text[], %(paths)b::text[], %(causes)b::text[],
              %(headers)b::text[], %(digests)b::bytea[], %(excerpts)b::bytea[], %(received)b::bigint[])
       AS told (id, provider, path, cause, headers, digest, excerpt, received_at)
ON CONFLICT DO NOTHING
"""
REFUSAL_COLUMNS = "ids providers paths causes headers digests excerpts received"

# A ledger's credits only add, so of two balances the higher is the later one: an invoice's credits come in order, a
# customer's, from several partitions, may not.
RAISE_BALANCES = """
INSERT INTO balances (customer_id, currency, balance, at)
SELECT * FROM unnest(%(customers)b::text[], %(currencies)b::text[], %(balances)b::bigint[], %(times)b::bigint[])
ON CONFLICT (customer_id, currency) DO UPDATE SET balance = excluded.balance, at = excluded.at
 WHERE excluded.balance > balances.balance
"""
# The schema is part of the channel: a store that is being rebuilt beside the live one tells nobody.
TELL_BALANCES = "SELECT pg_notify('balances.' || current_schema(), change) FROM unnest(%(changes)b::text[]) AS change"

CLEAN_UP = """
WITH old AS (
    SELECT webhook_id FROM webhooks WHERE abandoned_at < %(before)s
     ORDER BY webhook_id LIMIT %(most)s FOR UPDATE SKIP LOCKED),
forgotten AS (DELETE FROM outcomes USING old WHERE event_id = webhook_id)
DELETE FROM webhooks USING old WHERE webhooks.webhook_id = old.webhook_id
"""
CLEAN_UP_UNVERIFIED = "DELETE FROM webhooks WHERE kind = 'unverified' AND received_at < %(before)s"
CLEAN_UP_REFUSALS = "DELETE FROM refusals WHERE received_at < %(before)s"
CLEAN_UP_COUNTS = "DELETE FROM webhook_counts WHERE count = 0"
MOST_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Held:
    """A webhook's stored state without its standing, and all statements of services about it."""

    aside: str | None
    is_confirmed: bool
    said: list[Statement]


def describe(
    tx: Connection, webhook_ids: Iterable[str], webhooks: Iterable[Webhook], aside: Iterable[QuarantinedWebhook]
) -> None:
    """Write what is told by the webhooks themselves, and by what was kept aside.

    Of all `webhook_ids`, which must be sorted, there is a row then, locked until the transaction ends.
    """
    told = {cells[0]: cells for cells in chain(map(row_mapping.webhook, webhooks), map(row_mapping.aside, aside))}
    write(tx, DESCRIBE, DESCRIBED, [told.get(name) or (name, *row_mapping.UNDESCRIBED) for name in webhook_ids])


def confirm(tx: Connection, receipts: Mapping[str, str]) -> None:
    """Note that these receipts have become these events."""
    write(tx, CONFIRM, "receipts ids", receipts.items())


def keep_outcomes(tx: Connection, outcomes: Iterable[Outcome]) -> None:
    """Remember what services said of webhooks and facts."""
    write(tx, KEEP_OUTCOMES, OUTCOME_COLUMNS, [row_mapping.outcome(outcome) for outcome in outcomes])


def held(tx: Connection, webhook_ids: Sequence[str]) -> dict[str, Held]:
    """Return the stored state of these webhooks, by id."""
    found: dict[str, Held] = {}
    for webhook_id, aside, is_confirmed, *statement in tx.exec_driver_sql(HELD, {"ids": list(webhook_ids)}):
        known = found.setdefault(webhook_id, Held(aside, is_confirmed, []))
        if statement[0] is not None:
            known.said.append(Statement(*statement))
    return found


def settle(tx: Connection, standings: Mapping[str, Standing]) -> None:
    """Write where these webhooks stand."""
    standing = [
        (webhook_id, s.status, s.retry_count, s.last_retry_at, s.error, s.note, s.settled_at, s.given_up_at)
        for webhook_id, s in standings.items()
    ]
    write(tx, SETTLE, "ids statuses counts retried errors notes settled given_up", standing)


def keep_facts(tx: Connection, facts: Iterable[DomainEvent]) -> None:
    """Remember what was announced."""
    write(tx, KEEP_FACTS, FACT_COLUMNS, [row_mapping.fact(fact) for fact in facts])


def keep_mails(tx: Connection, mails: Iterable[NotificationSent]) -> None:
    """Remember who was told what."""
    write(tx, KEEP_MAILS, MAIL_COLUMNS, [row_mapping.mail(mail) for mail in mails])


def keep_refusals(tx: Connection, refused: Iterable[RejectedWebhook]) -> None:
    """Remember who was refused, and why."""
    write(tx, KEEP_REFUSALS, REFUSAL_COLUMNS, [row_mapping.refusal(one) for one in refused])


def raise_balances(tx: Connection, credits_added: Iterable[CreditAdded]) -> None:
    """Keep each customer's newest balance, and tell whoever listens of every change, in the order it was made."""
    changes = sorted((credit for credit in credits_added if credit.customer_id), key=row_mapping.account)
    newest = {row_mapping.account(credit)[:2]: credit for credit in changes}
    balances = [(*account, credit.balance, row_mapping.at(credit)) for account, credit in newest.items()]
    write(tx, RAISE_BALANCES, "customers currencies balances times", balances)
    write(tx, TELL_BALANCES, "changes", [(row_mapping.change(credit),) for credit in changes])


def clean_up(tx: Connection, before: int) -> int:
    """Forget webhooks that were abandoned before this time (microseconds), some at once; how many."""
    return tx.exec_driver_sql(CLEAN_UP, {"before": before, "most": MOST_AT_ONCE}).rowcount


def clean_up_unproven(tx: Connection, unverified_before: int, refused_before: int) -> int:
    """Forget what nobody proved and who was refused, as their topics do; how many."""
    unverified = tx.exec_driver_sql(CLEAN_UP_UNVERIFIED, {"before": unverified_before}).rowcount
    return unverified + tx.exec_driver_sql(CLEAN_UP_REFUSALS, {"before": refused_before}).rowcount


def clean_up_counts(tx: Connection) -> None:
    """Delete the counts of statuses that no webhook of their hour or day has any more."""
    tx.exec_driver_sql(CLEAN_UP_COUNTS)
