"""The log, looked into: all SQL of the API. It reads; nothing here changes a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from console.parameters import Filter, Page, is_uuid
from console.statistics import Counted

Row = Mapping[str, Any]

FILTER = """
       received_at IS NOT NULL
   AND (%(start)s::bigint IS NULL OR received_at >= %(start)s)
   AND (%(end)s::bigint IS NULL OR received_at < %(end)s)
   AND (%(provider)s::text IS NULL OR coalesce(provider, 'unknown') = %(provider)s)
   AND (%(status)s::text IS NULL OR status = %(status)s)
   AND (%(type)s::text IS NULL OR type = %(type)s OR event_type = %(type)s)
   AND (%(order)s::text IS NULL OR order_id = %(order)s)
   AND (%(id)s::text IS NULL OR webhook_id = %(uuid)s::uuid OR receipt_id = %(uuid)s::uuid
        OR provider_event_id = %(id)s OR provider_ids @> ARRAY[%(id)s::text])
"""

# What was confirmed or released counts as the event it became.
COUNT = f"""
SELECT coalesce(type, 'UNKNOWN'), status, count(*)
  FROM webhooks
 WHERE {FILTER} AND (coalesce(kind, '') NOT IN ('unconfirmed', 'quarantine', 'unverified') OR status <> 'PROCESSED')
 GROUP BY 1, 2
"""  # noqa: S608 - put together from constants

COLUMNS = """
webhook_id::text, receipt_id::text, kind, provider, provider_event_id, type, event_type, order_id, customer_id,
verification, status, retry_count, last_retry_at, error, note, occurred_at, received_at, created_at,
confirmed_as::text
"""
LIST = f"""
SELECT {COLUMNS}
  FROM webhooks
 WHERE {FILTER}
   AND (%(at)s::bigint IS NULL OR (received_at, webhook_id) < (%(at)s, %(after)s::uuid))
 ORDER BY received_at DESC, webhook_id DESC LIMIT %(limit)s
"""  # noqa: S608

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

OF_ORDER = f"""
SELECT {COLUMNS}
  FROM webhooks
 WHERE order_id = %(order)s OR webhook_id = ANY (%(causes)b::text[]::uuid[])
    OR refs && ARRAY(SELECT DISTINCT unnest(named.refs) FROM webhooks AS named WHERE named.order_id = %(order)s)
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


def counted(tx: Connection, wanted: Filter) -> list[Counted]:
    """How many webhooks there are of each type and status."""
    return [Counted(*row) for row in tx.exec_driver_sql(COUNT, _filter(wanted))]


def webhooks(tx: Connection, wanted: Filter, page: Page) -> list[Row]:
    """One more row than the page holds, newest first: whether there is a next one shows."""
    at, after = page.after or (None, None)
    return _rows(tx, LIST, {**_filter(wanted), "at": at, "after": after, "limit": page.limit + 1})


def named(tx: Connection, name: str) -> list[Row]:
    """The webhooks that a provider's id names, the newest first; those that became another row count as that one."""
    found = _rows(tx, NAMED, {"id": name, "most": MOST})
    events = [row for row in found if not _has_become_another(row)]
    return events or found[:1]


def webhook(tx: Connection, webhook_id: str) -> tuple[Row, Story] | None:
    """The webhook with this id of ours, and all that became of it."""
    found = _rows(tx, ONE, {"uuid": webhook_id})
    if not found:
        return None
    (row,) = found
    related = _rows(tx, RELATED, {"receipt": row["receipt_id"], "id": row["webhook_id"]})
    return row, _story(tx, [row, *related], None)


def order(tx: Connection, order_id: str) -> Story:
    """All that is known of an order, from every service."""
    # A webhook may not know its order while what was announced of it does.
    facts = _rows(tx, FACTS, {"ids": [], "order": order_id})
    causes = sorted({fact["caused_by"] for fact in facts if is_uuid(fact["caused_by"])})
    return _story(tx, _rows(tx, OF_ORDER, {"order": order_id, "causes": causes, "most": MOST}), order_id)


def balances(tx: Connection, customer_id: str) -> list[Row]:
    """What a customer has, by currency."""
    return _rows(tx, BALANCES, {"customer": customer_id})


def refusals(tx: Connection, wanted: Filter, limit: int) -> list[Row]:
    """The newest refused requests."""
    return _rows(tx, REFUSALS, {**_filter(wanted), "limit": limit})


def _has_become_another(row: Row) -> bool:
    """A question that was confirmed, or what was released from the quarantine: the event has a row of its own."""
    return row["confirmed_as"] is not None or (row["kind"] in ASIDE and row["status"] == "PROCESSED")


def _story(tx: Connection, found: list[Row], order_id: str | None) -> Story:
    names = [row["webhook_id"] for row in found]
    facts = _rows(tx, FACTS, {"ids": names, "order": order_id})
    told = [fact["fact_id"] for fact in facts]
    mails = _rows(tx, MAILS, {"ids": told, "order": order_id})
    return Story(found, _rows(tx, OUTCOMES, {"ids": [*names, *told]}), facts, mails)


def _filter(wanted: Filter) -> dict[str, Any]:
    return {
        "start": wanted.received.start,
        "end": wanted.received.end,
        "provider": wanted.provider,
        "status": wanted.status,
        "type": wanted.type,
        "order": wanted.order,
        "id": wanted.id,
        "uuid": wanted.id if wanted.id and is_uuid(wanted.id) else None,
    }


def _rows(tx: Connection, question: str, asked: Mapping[str, Any] | Mapping[str, Sequence[str]]) -> list[Row]:
    return [dict(row) for row in tx.exec_driver_sql(question, dict(asked)).mappings()]
