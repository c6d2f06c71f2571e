"""Writes the records of the log that have no state of their own: domain events, mails, refusals, actions, balances."""

from collections.abc import Iterable

from sqlalchemy import Connection

from console import terms
from console.row_mapping import records
from console.tables.log import balances, domain_events, mails, order_states
from console.tables.refusals import refusals, search_terms
from console.tables.work import actions
from stream.events import (
    ConsoleAction,
    CreditAdded,
    DomainEvent,
    NotificationSent,
    OrderStatus,
    QuarantinedWebhook,
    RejectedWebhook,
    Webhook,
)
from stream.store import statements
from stream.store.statements import BulkStatement

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
