"""Reads the services' stores, each in one snapshot, with a read-only role where there is one."""

from collections.abc import Mapping
from typing import LiteralString

import psycopg
from psycopg.rows import dict_row

from auditor.evidence import Store
from simulator.stores import url
from stream.kafka.position import Position

INBOX: LiteralString = 'SELECT event_id::text, topic, partition, "offset", outcome FROM inbox'
OUTBOX: LiteralString = "SELECT count(*) AS n FROM outbox"
# An event that was dismissed while it was waiting has a row without attempts; it did not fail.
RETRIES: LiteralString = """
SELECT event_id::text AS key, status, attempts, error FROM retries WHERE attempts > 0 OR status <> 'dismissed'
"""

TABLES: Mapping[str, Mapping[str, LiteralString]] = {
    "payment": {
        "payments": "SELECT order_id AS key, status, amount, currency, refunded_amount, failure_reason, mismatched,"
        " version, registers, cancels, entries FROM payments",
        "transactions": "SELECT order_id || ' ' || transaction_id AS key, status, amount, currency, refunded_amount,"
        " registers FROM transactions",
        "orders": "SELECT order_id AS key, amount, currency, registers FROM orders WHERE registers::text <> '{}'",
        "history": "SELECT event_id::text AS key, outcome FROM payment_history",
    },
    "shipping": {
        "shipments": "SELECT shipment_id AS key, order_id, status, version, registers FROM shipments",
        "history": "SELECT event_id::text AS key, outcome FROM shipment_history",
    },
    "refund": {
        "orders": "SELECT order_id AS key, refund_status, refunded_amount, version FROM orders WHERE version > 0",
        "refunds": "SELECT order_id || ' ' || refund_id AS key, order_id, status, amount, currency, mismatch, registers"
        " FROM refunds",
        "history": "SELECT event_id::text AS key, outcome FROM refund_history",
    },
    "subscription": {
        "subscriptions": "SELECT user_id AS key, plan, status, last_order_id, version FROM subscriptions",
        "orders": "SELECT order_id AS key, user_id, registers FROM orders",
        "history": "SELECT event_id::text AS key, outcome FROM subscription_history",
    },
    "invoice": {
        "invoices": "SELECT invoice_id AS key, state, cash_amount, cash_currency, version, registers FROM invoices",
        "transfers": "SELECT transaction_id AS key, invoice_id, state, version, registers FROM transfers",
        "credits": "SELECT invoice_id AS key, entry_id::text, customer_id, amount, currency FROM credits",
        "history": "SELECT event_id::text AS key, outcome FROM invoice_history",
    },
    "order": {
        "orders": "SELECT order_id AS key, payment_status, payment_method, transaction_id, paid_amount,"
        " (extract(epoch FROM paid_at) * 1000000)::bigint AS paid_at, shipping_status, tracking_number, carrier,"
        " last_location, (extract(epoch FROM shipping_updated_at) * 1000000)::bigint AS shipping_updated_at,"
        " refund_status, refunded_amount, currency, customer_id, ordered_amount, ordered_currency, subscription_plan,"
        " subscription_status, set_by, version FROM orders",
        "history": "SELECT NULL AS key, NULL AS outcome WHERE false",
    },
    "confirmer": {
        "verification_requests": "SELECT request_id::text AS key, status, event_id::text, error"
        " FROM verification_requests"
    },
    "notifier": {
        "notifications": "SELECT notification_id::text AS key, event_id::text, event_type, audience, order_id, status,"
        " error, again_of::text FROM notifications",
    },
    "console": {},
}
"""Service → table → query, whose column `key` identifies a row. Inbox, outbox and retries are read of each service."""


def read(env: Mapping[str, str], service: str) -> Store:
    """Read the common tables of a service's store, and those of TABLES, in one snapshot.

    Raises psycopg.Error if the store does not answer, KeyError if `env` does not have its URL.
    """
    with psycopg.connect(url(env, service), row_factory=dict_row, connect_timeout=5) as tx:
        tx.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        handled = {
            row["event_id"]: (Position(row["topic"], row["partition"], row["offset"]), row["outcome"])
            for row in tx.execute(INBOX)
        }
        (outbox,) = tx.execute(OUTBOX).fetchall()
        tables = {
            name: {row.pop("key"): row for row in tx.execute(query).fetchall()}
            for name, query in {"retries": RETRIES, **TABLES.get(service, {})}.items()
        }
    return Store(handled, outbox["n"], tables.pop("retries"), tables)
