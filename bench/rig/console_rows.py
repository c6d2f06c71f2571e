"""Fills a console's store with generated webhooks, outcomes, domain events and mails."""

from typing import Any

from sqlalchemy import Engine

from console import terms
from runtime import clock

DAYS = 30
CHUNK = 100_000
# Three webhooks an order, evenly over DAYS, four providers; of a hundred 97 are processed. One outcome a webhook, one
# domain event and one mail an order.
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
SELECT md5('w' || n)::uuid, (ARRAY['payment', 'payment', 'refund'])[kind],
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
INSERT INTO outcomes (event_id, service, topic, partition, "offset", outcome, attempt, at)
SELECT md5('w' || n)::uuid, 'payment', 'webhooks.payment.v1', n % 12, n, 'processed', 1, at FROM MADE
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
}

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
                values = {"start": start, "span": span, "rows": rows, "first": first, "last": last}
                tx.exec_driver_sql(statement.replace("MADE", MADE).replace(" % ", " %% "), values)
        for _, definition in indexes:
            tx.exec_driver_sql(definition)
    insert_terms(store)
    with store.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        session.exec_driver_sql("SET statement_timeout = 0")
        session.exec_driver_sql("VACUUM ANALYZE")
    return start


def insert_terms(store: Engine) -> None:
    """Insert the terms of all webhooks."""
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
    """Return the id of a webhook that `fill` inserted."""
    return str(tx.exec_driver_sql("SELECT md5('w' || %(n)s)::uuid::text", {"n": str(number)}).scalar())
