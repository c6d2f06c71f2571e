"""The log, looked into: all SQL of the API. It reads; nothing here changes a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from console.api.query_params import Filter, is_uuid

Row = Mapping[str, Any]

COLUMNS = """
webhook_id::text, receipt_id::text, kind, provider, provider_event_id, type, event_type, order_id, customer_id,
verification, status, retry_count, last_retry_at, error, note, occurred_at, received_at, created_at,
confirmed_as::text
"""
ONE = f"""
SELECT {COLUMNS}, path, headers, payload, inbox.topic, inbox.partition, inbox."offset"
  FROM webhooks LEFT JOIN inbox ON inbox.event_id = webhook_id
 WHERE webhook_id = %(uuid)s::uuid
"""  # noqa: S608

NAMED = f"""
SELECT {COLUMNS}
  FROM webhooks
 WHERE received_at IS NOT NULL AND (provider_event_id = %(id)s OR provider_ids @> ARRAY[%(id)s::text])
 ORDER BY received_at DESC, webhook_id DESC LIMIT %(most)s
"""  # noqa: S608

# The one an event was confirmed from, or those a receipt became.
RELATED = f"SELECT {COLUMNS} FROM webhooks WHERE webhook_id = %(receipt)s::uuid OR receipt_id = %(id)s::uuid"  # noqa: S608

REFERENCES = "SELECT DISTINCT unnest(refs) FROM webhooks WHERE order_id = %(order)s"
# References and causes are values and each way to a webhook is a query of its own: in one condition with OR, and with
# references that the planner does not know, it walks the log in the order of the result (957 ms at 10^6 webhooks).
OF_ORDER = f"""
WITH named AS MATERIALIZED (
    SELECT webhook_id FROM webhooks WHERE order_id = %(order)s
     UNION SELECT unnest(%(causes)b::text[]::uuid[])
     UNION SELECT webhook_id FROM webhooks WHERE refs && %(references)b::text[])
SELECT {COLUMNS}
  FROM named JOIN webhooks USING (webhook_id)
 ORDER BY received_at, webhook_id LIMIT %(most)s
"""  # noqa: S608

OUTCOMES = """
SELECT event_id::text, service, topic, outcome, attempt, error, min(at) AS at
  FROM outcomes WHERE event_id = ANY (%(ids)b::text[]::uuid[])
 GROUP BY event_id, service, topic, partition, "offset", outcome, attempt, error ORDER BY 7
"""
FACTS = """
SELECT fact_id::text, type, order_id, customer_id, caused_by, occurred_at, received_at, body
  FROM facts WHERE caused_by = ANY (%(ids)b::text[]) OR order_id = %(order)s ORDER BY received_at, fact_id
"""
MAILS = """
SELECT notification_id::text, fact_id, fact_type, audience, channel, order_id, customer_id, locale, message_id, sent_at
  FROM mails WHERE fact_id = ANY (%(ids)b::text[]) OR order_id = %(order)s ORDER BY sent_at, notification_id
"""
BALANCES = "SELECT currency, balance, at FROM balances WHERE customer_id = %(customer)s ORDER BY currency"
REFUSALS = """
SELECT refusal_id::text, provider, path, cause, headers, encode(digest, 'hex') AS digest, excerpt, received_at
  FROM refusals
 WHERE (%(provider)s::text IS NULL OR provider = %(provider)s)
   AND (%(start)s::bigint IS NULL OR received_at >= %(start)s)
   AND (%(end)s::bigint IS NULL OR received_at < %(end)s)
 ORDER BY received_at DESC, refusal_id DESC LIMIT %(limit)s
"""
MOST = 500
ASIDE = ("quarantine", "unverified")


@dataclass(frozen=True, slots=True)
class Story:
    """What belongs together: webhooks, what was said of them and their facts, the facts, who was told of them."""

    webhooks: list[Row]
    outcomes: list[Row]
    facts: list[Row]
    mails: list[Row]


def named(tx: Connection, name: str) -> list[Row]:
    """The webhooks that a provider's id names, the newest first; those that became another row count as that one."""
    found = rows(tx, NAMED, {"id": name, "most": MOST})
    events = [row for row in found if not _has_become_another(row)]
    return events or found[:1]


def webhook(tx: Connection, webhook_id: str) -> tuple[Row, Story] | None:
    """The webhook with this id of ours, and all that became of it."""
    found = rows(tx, ONE, {"uuid": webhook_id})
    if not found:
        return None
    (row,) = found
    related = rows(tx, RELATED, {"receipt": row["receipt_id"], "id": row["webhook_id"]})
    return row, _story(tx, [row, *related], None)


def order(tx: Connection, order_id: str) -> Story:
    """All that is known of an order, from every service."""
    # A webhook may not know its order while what was announced of it does.
    facts = rows(tx, FACTS, {"ids": [], "order": order_id})
    causes = sorted({fact["caused_by"] for fact in facts if is_uuid(fact["caused_by"])})
    references = list(tx.exec_driver_sql(REFERENCES, {"order": order_id}).scalars())
    given = {"order": order_id, "causes": causes, "references": references, "most": MOST}
    return _story(tx, rows(tx, OF_ORDER, given), order_id)


def balances(tx: Connection, customer_id: str) -> list[Row]:
    """What a customer has, by currency."""
    return rows(tx, BALANCES, {"customer": customer_id})


def refusals(tx: Connection, wanted: Filter, limit: int) -> list[Row]:
    """The newest refused requests."""
    given = {"provider": wanted.provider, "start": wanted.received.start, "end": wanted.received.end, "limit": limit}
    return rows(tx, REFUSALS, given)


def _has_become_another(row: Row) -> bool:
    """A question that was confirmed, or what was released from the quarantine: the event has a row of its own."""
    return row["confirmed_as"] is not None or (row["kind"] in ASIDE and row["status"] == "PROCESSED")


def _story(tx: Connection, found: list[Row], order_id: str | None) -> Story:
    names = [row["webhook_id"] for row in found]
    facts = rows(tx, FACTS, {"ids": names, "order": order_id})
    told = [fact["fact_id"] for fact in facts]
    mails = rows(tx, MAILS, {"ids": told, "order": order_id})
    return Story(found, rows(tx, OUTCOMES, {"ids": [*names, *told]}), facts, mails)


def rows(tx: Connection, question: str, asked: Mapping[str, Any]) -> list[Row]:
    """Return the rows that a statement finds, as mappings."""
    return [dict(row) for row in tx.exec_driver_sql(question, dict(asked)).mappings()]
