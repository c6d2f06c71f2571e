"""Looks up webhooks, orders, balances and refusals, for API and pages. It only reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from console.queries.criteria import RefusalFilter, RowPage, is_uuid
from runtime.json_value import JsonValue

Row = Mapping[str, JsonValue]
"""A row of a query, by column."""

COLUMNS = """
webhook_id::text, verification_request_id::text, kind, provider, provider_event_id, type, event_type, order_id,
customer_id, verification, status, retry_count, last_retry_at, error, note, occurred_at, received_at, created_at,
confirmed_as::text
"""
WEBHOOK = f"""
SELECT {COLUMNS}, path, headers, payload, inbox.topic, inbox.partition, inbox."offset"
  FROM webhooks LEFT JOIN inbox ON inbox.event_id = webhook_id
 WHERE webhook_id = %(uuid)s::uuid
"""  # noqa: S608

BY_PROVIDER_ID = f"""
SELECT {COLUMNS}
  FROM webhooks
 WHERE received_at IS NOT NULL AND (provider_event_id = %(id)s OR provider_ids @> ARRAY[%(id)s::text])
 ORDER BY received_at DESC, webhook_id DESC LIMIT %(most)s
"""  # noqa: S608

# The unconfirmed webhook that an event came from, or the events that an unconfirmed webhook became.
RELATED = (
    f"SELECT {COLUMNS} FROM webhooks WHERE webhook_id = %(request)s::uuid OR verification_request_id = %(id)s::uuid"  # noqa: S608
)

ALIASES = "SELECT DISTINCT unnest(aliases) FROM webhooks WHERE order_id = %(order)s"
# Aliases and causes are passed as values, and each way to a webhook is a query of its own. With one condition joined
# by OR, or aliases unknown to the planner, Postgres walks the log in the order of the result (957 ms at 10^6
# webhooks).
OF_ORDER = f"""
WITH named AS MATERIALIZED (
    SELECT webhook_id FROM webhooks WHERE order_id = %(order)s
     UNION SELECT unnest(%(causes)b::text[]::uuid[])
     UNION SELECT webhook_id FROM webhooks WHERE aliases && %(aliases)b::text[])
SELECT {COLUMNS}
  FROM named JOIN webhooks USING (webhook_id)
 ORDER BY received_at, webhook_id LIMIT %(most)s
"""  # noqa: S608

OUTCOMES = """
SELECT event_id::text, service, topic, outcome, attempt, error, min(at) AS at
  FROM outcomes WHERE event_id = ANY (%(ids)b::text[]::uuid[])
 GROUP BY event_id, service, topic, partition, "offset", outcome, attempt, error ORDER BY 7
"""
EVENTS = """
SELECT event_id::text, type, order_id, customer_id, caused_by, occurred_at, received_at, body
  FROM domain_events WHERE caused_by = ANY (%(ids)b::text[]) OR order_id = %(order)s ORDER BY received_at, event_id
"""
MAILS = """
SELECT notification_id::text, event_id, event_type, audience, channel, order_id, customer_id, locale, message_id,
       sent_at
  FROM mails WHERE event_id = ANY (%(ids)b::text[]) OR order_id = %(order)s ORDER BY sent_at, notification_id
"""
POSITIONS = """
SELECT event_id::text, topic, partition, "offset" FROM inbox WHERE event_id = ANY (%(ids)b::text[]::uuid[])
"""
# The log names the order of a crypto invoice by the invoice's id alone.
ORDER_STATE = """
SELECT state FROM order_states WHERE order_id = ANY (%(orders)b::text[]) ORDER BY order_id = %(order)s DESC LIMIT 1
"""
BALANCES = "SELECT currency, balance, at FROM balances WHERE customer_id = %(customer)s ORDER BY currency"
REFUSALS = """
SELECT refusal_id::text, provider, path, cause, headers, encode(digest, 'hex') AS digest, excerpt, received_at,
       order_ids, source, retired_secret
  FROM refusals
 WHERE {filter}
 ORDER BY received_at DESC, refusal_id DESC LIMIT %(limit)s
"""
MAX_ROWS = 500
"""The most webhooks of an order, or with one provider's id."""
QUARANTINE_KINDS = ("quarantine", "unverified")


@dataclass(frozen=True, slots=True)
class RelatedRows:
    """Webhooks, the domain events they caused, the outcomes of both, and the mails about those events.

    `positions` has the position in Kafka by id of each webhook, event and mail that the console has read.
    """

    webhooks: list[Row]
    outcomes: list[Row]
    events: list[Row]
    mails: list[Row]
    positions: Mapping[str, Row] = field(default_factory=dict)


def by_provider_id(tx: Connection, name: str) -> list[Row]:
    """Return the newest MAX_ROWS webhooks with this provider's id, newest first.

    Webhooks that became another event, because they were confirmed or released, are left out. If there are no others,
    only the newest of them is returned.
    """
    found = rows(tx, BY_PROVIDER_ID, {"id": name, "most": MAX_ROWS})
    events = [row for row in found if not _has_own_event(row)]
    return events or found[:1]


def webhook(tx: Connection, webhook_id: str) -> tuple[Row, RelatedRows] | None:
    """Return the webhook with our id, a UUID, and its related rows, the webhook itself first; None if there is none.

    Related are also the unconfirmed webhook that it was, or the events that it became.
    """
    found = rows(tx, WEBHOOK, {"uuid": webhook_id})
    if not found:
        return None
    (row,) = found
    related = rows(tx, RELATED, {"request": row["verification_request_id"], "id": row["webhook_id"]})
    return row, _related_rows(tx, [row, *related], None)


def order(tx: Connection, order_id: str) -> RelatedRows:
    """Return everything about an order: webhooks that name it or one of its aliases, or caused one of its events.

    Of the webhooks at most the first MAX_ROWS are returned, by time. All lists are empty for an unknown order.
    """
    # A webhook may have no order id while its domain events have one.
    events = rows(tx, EVENTS, {"ids": [], "order": order_id})
    causes = sorted({event["caused_by"] for event in events if is_uuid(event["caused_by"])})
    aliases = list(tx.exec_driver_sql(ALIASES, {"order": order_id}).scalars())
    values = {"order": order_id, "causes": causes, "aliases": aliases, "most": MAX_ROWS}
    return _related_rows(tx, rows(tx, OF_ORDER, values), order_id)


def order_state(tx: Connection, order_id: str) -> Row | None:
    """Return an order's state as the order processor published it last; None if it published none.

    Without an order of this id, it is the state of the crypto invoice of this id, which is an order `invoice:{id}`.
    """
    found = rows(tx, ORDER_STATE, {"order": order_id, "orders": [order_id, f"invoice:{order_id}"]})
    return found[0]["state"] if found else None


def balances(tx: Connection, customer_id: str) -> list[Row]:
    """Return a customer's balances by currency; none for an unknown customer.

    A row has `currency`, `balance` in minor units, and `at` in microseconds since 1970.
    """
    return rows(tx, BALANCES, {"customer": customer_id})


def refusals(tx: Connection, criteria: RefusalFilter, page: RowPage) -> list[Row]:
    """Return the refused requests of a page, newest first, and one more if there is a next page."""
    at, refusal_id = page.after or (None, None)
    conditions: tuple[tuple[object, str], ...] = (
        (criteria.provider, "provider = %(provider)s"),
        (criteria.cause, "cause = %(cause)s"),
        (criteria.order, "order_ids @> ARRAY[%(order)s::text]"),
        (criteria.received.start, "received_at >= %(start)s"),
        (criteria.received.end, "received_at < %(end)s"),
        (at, "(received_at, refusal_id) < (%(at)s, %(after)s::uuid)"),
    )
    values = {
        **{name: getattr(criteria, name) for name in ("provider", "cause", "order")},
        "start": criteria.received.start,
        "end": criteria.received.end,
        "at": at,
        "after": refusal_id,
        "limit": page.limit + 1,
    }
    chosen = " AND ".join(condition for value, condition in conditions if value is not None) or "true"
    return rows(tx, REFUSALS.format(filter=chosen), values)


def _has_own_event(row: Row) -> bool:
    """Return whether a webhook was confirmed, or released from quarantine: its event has a row of its own then."""
    return row["confirmed_as"] is not None or (row["kind"] in QUARANTINE_KINDS and row["status"] == "PROCESSED")


def _related_rows(tx: Connection, found: list[Row], order_id: str | None) -> RelatedRows:
    webhook_ids = [row["webhook_id"] for row in found]
    events = rows(tx, EVENTS, {"ids": webhook_ids, "order": order_id})
    event_ids = [event["event_id"] for event in events]
    mails = rows(tx, MAILS, {"ids": event_ids, "order": order_id})
    outcomes = rows(tx, OUTCOMES, {"ids": [*webhook_ids, *event_ids]})
    mail_ids = [mail["notification_id"] for mail in mails]
    positions = rows(tx, POSITIONS, {"ids": [*webhook_ids, *event_ids, *mail_ids]})
    return RelatedRows(found, outcomes, events, mails, {row["event_id"]: row for row in positions})


def rows(tx: Connection, statement: str, values: Mapping[str, JsonValue]) -> list[Row]:
    """Return the rows that a statement finds, as mappings."""
    return [dict(row) for row in tx.exec_driver_sql(statement, dict(values)).mappings()]
