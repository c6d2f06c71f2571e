"""Fills a console's store with generated webhooks, outcomes, domain events, mails, refusals, issues and actions."""

from hashlib import md5
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Engine

from console import terms
from runtime import clock
from stream.events import EventId, Micros, OrderId, OrderStatus

DAYS = 30
CHUNK = 100_000
# Three webhooks an order, evenly over DAYS, four providers; of a hundred 97 are processed, one is dead, and of a
# thousand one is quarantined. One outcome a webhook, one domain event and one mail an order. One refused request for
# every twenty webhooks, over 7 days, as in its topic. One action for a hundred webhooks.
MADE = """
(SELECT n, 1 + n % 3 AS kind, 1 + n / 3 % 4 AS who, 'o_' || n / 3 AS order_id,
        %(start)s::bigint + n * (%(span)s::bigint / %(rows)s) AS at
   FROM generate_series(%(first)s::int, %(last)s::int) AS n) AS made
"""
TABLES = {
    "webhooks": """
INSERT INTO webhooks (webhook_id, kind, provider, provider_event_id, verification_request_id, type, event_type,
                      order_id, verification, path, headers, payload, occurred_at, received_at, status, settled_at,
                      aliases, provider_ids)
SELECT md5('w' || n)::uuid,
       CASE WHEN n % 1000 = 7 THEN 'quarantine' WHEN who = 4 AND n % 50 = 10 THEN 'unconfirmed'
            ELSE (ARRAY['payment', 'payment', 'refund'])[kind] END,
       (ARRAY['generic', 'toss', 'stripe', 'naverpay'])[who], 'evt_' || n, md5('r' || n)::uuid,
       (ARRAY['PAYMENT_COMPLETED', 'PAYMENT_CANCELLED', 'REFUND_COMPLETED'])[kind],
       (ARRAY['payment.completed', 'payment.cancelled', 'refund.completed'])[kind], order_id,
       'signature', '/webhooks/payment', '{"x-webhook-signature": "0123456789abcdef"}',
       convert_to('{"orderId": "' || order_id || '", "status": "completed", "amount": 58000}', 'UTF8'), at, at,
       CASE WHEN n % 100 IN (7, 8) THEN 'FAILED' WHEN n % 100 = 9 THEN 'ABANDONED' ELSE 'PROCESSED' END, at,
       CASE WHEN kind = 1 THEN ARRAY['toss:pk_' || n / 3] ELSE '{}' END, ARRAY['evt_' || n]
  FROM MADE
""",
    "outcomes": """
INSERT INTO outcomes (event_id, service, topic, partition, "offset", outcome, attempt, error, at)
SELECT md5('w' || n)::uuid, 'payment', 'webhooks.payment.v1', n % 12, n,
       CASE WHEN n % 100 = 9 THEN 'dead' ELSE 'processed' END, 1,
       CASE WHEN n % 100 = 9 THEN 'CheckViolation (23514): the new row violates a check' END, at FROM MADE
""",
    "domain_events": """
INSERT INTO domain_events (event_id, type, order_id, caused_by, occurred_at, received_at, body)
SELECT md5('f' || n)::uuid, 'PaymentCompleted', order_id, md5('w' || n)::uuid::text, at, at,
       '{"amount": 58000, "currency": "KRW"}'
  FROM MADE WHERE kind = 1
""",
    "mails": """
INSERT INTO mails (notification_id, event_id, event_type, audience, channel, order_id, locale, message_id, sent_at)
SELECT md5('m' || n)::uuid, md5('f' || n)::uuid::text, 'PaymentCompleted', 'customer', 'email', order_id, 'ko',
       n::text, at
  FROM MADE WHERE kind = 1
""",
    "inbox": """
INSERT INTO inbox (event_id, topic, partition, "offset", outcome)
SELECT md5('w' || n)::uuid, 'webhooks.payment.v1', n % 12, n, 'processed' FROM MADE
""",
    "order_states": """
INSERT INTO order_states (order_id, version, state)
SELECT order_id, 1,
       replace(replace(%(state)s, '"ORDER"', to_json(order_id)::text), 'WEBHOOK', md5('w' || n)::uuid::text)::json
  FROM MADE WHERE kind = 1
""",
    "issue_events": """
INSERT INTO issue_events (issue_id, event_id, first_died_at, died_at, is_dead)
SELECT md5('i' || n / 100 % 20)::uuid, md5('w' || n)::uuid, at, at, n % 300 = 9 FROM MADE WHERE n % 100 = 9
""",
    "refusals": """
INSERT INTO refusals (refusal_id, provider, path, cause, headers, digest, excerpt, received_at, order_ids, source,
                      retired_secret)
SELECT md5('x' || n)::uuid, (ARRAY['generic', 'toss', 'stripe', 'naverpay'])[who], '/webhooks/payment',
       (ARRAY['invalid_signature', 'missing_signature', 'invalid_timestamp'])[kind], '{}', '\\x00',
       convert_to('{"orderId": "' || order_id || '", "note": "' || (
           SELECT string_agg(md5(n || ' ' || i), '') FROM generate_series(1, 50) AS i) || '"}', 'UTF8'),
       %(end)s - (%(end)s - at) * 7 / 30, ARRAY[order_id],
       '203.0.113.' || n % 250, CASE WHEN n % 2000 = 0 THEN 'ab12cd34' END
  FROM MADE WHERE n % 20 = 0
""",
    "actions": """
INSERT INTO actions (action_id, result, at, user_name, role, action, target, parameters)
SELECT md5('a' || n)::uuid, result, at, 'kim', 'operator',
       (ARRAY['event.retry', 'issue.redrive', 'mail.resolve'])[kind],
       md5('w' || n)::uuid::text, '{}'
  FROM MADE CROSS JOIN (VALUES ('requested'), ('done')) AS results (result) WHERE n % 100 = 9
""",
}
ONCE = (
    """
INSERT INTO daily_amounts (start, provider, type, currency, amount)
SELECT received_at - mod(received_at, 86400000000), 'toss', type, 'KRW', sum((body ->> 'amount')::bigint)
  FROM domain_events GROUP BY 1, 2, 3, 4
""",
    """
INSERT INTO issues (issue_id, service, cause, line)
SELECT md5('i' || n)::uuid, (ARRAY['payment', 'refund'])[1 + mod(n, 2)], 'CheckViolation (23514)',
       'a check fails: ' || n
  FROM generate_series(0, 19) AS n
""",
    """
INSERT INTO refusal_counts (start, provider, cause, count)
SELECT received_at - mod(received_at, 3600000000), provider, cause, count(*) FROM refusals GROUP BY 1, 2, 3
""",
)
STATE = OrderStatus(
    event_id=EventId("EVENT"), caused_by=EventId("WEBHOOK"), mode="live", order_id=OrderId("ORDER"), customer_id=None,
    occurred_at=None, received_at=Micros(0), version=1, payment_status="completed", payment_method="card",
    transaction_id="TXN-1", paid_amount=58000, currency="KRW",
    set_by={"payment_status": "WEBHOOK", "paid_amount": "WEBHOOK"}, set_by_events={},
)  # fmt: skip

INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
 WHERE schemaname = current_schema() AND tablename = ANY (%(tables)s) AND indexname NOT LIKE '%%pkey'
"""


def fill(store: Engine, rows: int) -> int:
    """Insert `rows` webhooks with outcomes, events and mails; return when the first was received, in microseconds."""
    span = DAYS * clock.DAY_US
    start = clock.now() - span
    with store.begin() as tx:
        tx.exec_driver_sql("SET LOCAL statement_timeout = 0")
        tx.exec_driver_sql("SET LOCAL synchronous_commit = off")
        indexes = list(tx.exec_driver_sql(INDEXES, {"tables": list(TABLES)}))
        for name, _ in indexes:
            tx.exec_driver_sql(f"DROP INDEX {name}")
        for statement in TABLES.values():
            for first in range(0, rows, CHUNK):
                last = min(first + CHUNK, rows) - 1
                values = {
                    "start": start,
                    "end": start + span,
                    "span": span,
                    "rows": rows,
                    "first": first,
                    "last": last,
                    "state": msgspec.json.encode(STATE).decode(),
                }
                tx.exec_driver_sql(statement.replace("MADE", MADE).replace(" % ", " %% "), values)
        for statement in (*ONCE, *(definition for _, definition in indexes)):
            tx.exec_driver_sql(statement)
    insert_terms(store)
    with store.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        session.exec_driver_sql("SET statement_timeout = 0")
        session.exec_driver_sql("VACUUM ANALYZE")
    return start


def insert_terms(store: Engine) -> None:
    """Insert the search terms of all webhooks in the store."""
    with store.connect() as reading, store.begin() as writing:
        writing.exec_driver_sql("SET LOCAL statement_timeout = 0")
        reading.exec_driver_sql("SET LOCAL statement_timeout = 0")
        source = reading.connection.driver_connection.cursor("bodies")  # type: ignore[union-attr]
        source.itersize = 10_000
        source.execute("SELECT webhook_id, payload FROM webhooks")
        target = writing.connection.driver_connection.cursor()  # type: ignore[union-attr]
        with target.copy("COPY search_terms (subject, is_refusal, terms) FROM STDIN") as copy:
            for subject, payload in source:
                copy.write_row((subject, False, terms.of_body(payload)))


def webhook_id(tx: Any, number: int) -> str:
    """Return the id of the webhook with this number, from 0, that `fill` inserted."""
    return str(tx.exec_driver_sql("SELECT md5('w' || %(n)s)::uuid::text", {"n": str(number)}).scalar())


def issue_id(number: int) -> str:
    """Return the id of the issue with this number that `fill` inserted."""
    return str(UUID(md5(f"i{number}".encode()).hexdigest()))  # noqa: S324 - not for security
