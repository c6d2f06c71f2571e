"""Searches and counts webhooks, with the counts by hour and day as an index. It only reads."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from console.domain import UNSUCCESSFUL
from console.queries import lookup
from console.queries.criteria import Filter, RowPage, StatusCount, is_uuid
from console.queries.figures import spans
from console.queries.figures.spans import DAY, HOUR
from console.queries.lookup import Row
from runtime.json_value import JsonValue

COUNTED = """
SELECT type, status, count
  FROM unnest(%(spans)b::bigint[], %(starts)b::bigint[], %(ends)b::bigint[]) AS piece (span, first, last)
  JOIN webhook_counts ON webhook_counts.span = piece.span AND start >= first AND start < last
 WHERE (is_event OR status <> 'PROCESSED') AND {filter}
"""
# A webhook that was confirmed or released counts as the event it became; `is_event` in the migration has the same rule.
COUNTED_ROWS = """
SELECT coalesce(type, 'UNKNOWN') AS type, status, 1
  FROM webhooks
 WHERE received_at >= {start} AND received_at < {end} AND {filter}
   AND (coalesce(kind, '') NOT IN ('unconfirmed', 'quarantine', 'unverified') OR status <> 'PROCESSED')
"""
COUNT = """
SELECT type, status, sum(count)::bigint FROM ({parts}) AS counted GROUP BY 1, 2 HAVING sum(count) > 0
"""

HOLDING = """
SELECT start, sum(count)::bigint
  FROM unnest(%(starts)b::bigint[]) AS within (first)
  JOIN webhook_counts ON start >= first AND start < first + %(length)s
 WHERE span = %(span)s AND count > 0 AND start > %(after)s AND start < %(before)s AND {filter}
 GROUP BY start ORDER BY start DESC
"""

PAGE = f"""
SELECT {lookup.COLUMNS}
  FROM {{source}}
 WHERE received_at >= %(start)s AND received_at < %(end)s AND {{filter}} AND {{after}}
 ORDER BY received_at DESC, webhook_id DESC LIMIT %(limit)s
"""  # noqa: S608 - put together from constants
WITHIN_HOURS = f"""
SELECT page.* FROM unnest(%(hours)b::bigint[]) AS hour
 CROSS JOIN LATERAL ({PAGE.replace("{after}", "{after} AND received_at >= hour AND received_at < hour + 3600000000")})
    AS page
 ORDER BY page.received_at DESC, page.webhook_id DESC LIMIT %(limit)s
"""  # noqa: S608

# The ids are found first, by their indexes: otherwise the planner walks the log in the order of the page.
BY_ID = """
WITH named AS MATERIALIZED (
    SELECT webhook_id FROM webhooks WHERE webhook_id = %(uuid)s::uuid OR verification_request_id = %(uuid)s::uuid
     UNION SELECT webhook_id FROM webhooks WHERE provider_event_id = %(id)s
     UNION SELECT webhook_id FROM webhooks WHERE provider_ids @> ARRAY[%(id)s::text])
"""
OF_ORDER = "WITH named AS MATERIALIZED (SELECT webhook_id FROM webhooks WHERE order_id = %(order)s)"
AFTER = "(received_at, webhook_id) < (%(at)s, %(after)s::uuid)"


def counted(tx: Connection, criteria: Filter) -> list[StatusCount]:
    """Return the numbers of webhooks by type and status, of the criteria's range, provider, status and type.

    `criteria.order` and `criteria.id` are ignored. A webhook that was confirmed or released counts once, as the event
    it became.
    """
    pieces = spans.pieces(*spans.bounds(criteria.received))
    whole, edges = [piece for piece in pieces if piece.span], [piece for piece in pieces if not piece.span]
    parts = [COUNTED.format(filter=_of_counts(criteria))]
    parts += [COUNTED_ROWS.format(start=start, end=end, filter=_of_rows(criteria)) for _, start, end in edges]
    values = {
        "spans": [piece.span for piece in whole],
        "starts": [piece.start for piece in whole],
        "ends": [piece.end for piece in whole],
        "provider": criteria.provider,
    }
    statement = COUNT.format(parts=" UNION ALL ".join(parts))
    return [StatusCount(*row) for row in tx.exec_driver_sql(statement, values)]


def webhooks(tx: Connection, criteria: Filter, page: RowPage) -> list[Row]:
    """Return the webhooks of a page, newest first, and one more if there is a next page."""
    start, end = spans.bounds(criteria.received)
    at, webhook_id = page.after or (None, None)
    values = {
        **{name: getattr(criteria, name) for name in ("provider", "status", "type", "order", "id")},
        "uuid": criteria.id if criteria.id and is_uuid(criteria.id) else None,
        "start": start,
        "end": end if at is None else min(end, at + 1),
        "at": at,
        "after": webhook_id,
        "limit": page.limit + 1,
    }
    if criteria.order is not None or criteria.id is not None:
        return _page(tx, criteria, values, _by_id(criteria))
    if criteria.provider is None and criteria.status is None and criteria.type is None:
        return _page(tx, criteria, values, PAGE.replace("{source}", "webhooks"))
    hours = _hours(tx, criteria, values)
    return (
        _page(tx, criteria, {**values, "hours": hours}, WITHIN_HOURS.replace("{source}", "webhooks")) if hours else []
    )


def _page(tx: Connection, criteria: Filter, values: dict[str, JsonValue], statement: str) -> list[Row]:
    return lookup.rows(
        tx, statement.format(filter=_of_rows(criteria), after=AFTER if values["at"] is not None else "true"), values
    )


def _by_id(criteria: Filter) -> str:
    """Return the statement for a page of an order, of an id, or of both."""
    selection = BY_ID if criteria.id is not None else OF_ORDER
    return selection + PAGE.replace("{source}", "named JOIN webhooks USING (webhook_id)")


def _of_rows(criteria: Filter) -> str:
    """Return the conditions on rows of webhooks."""
    status = "unsuccessful" if criteria.status in UNSUCCESSFUL else "status"
    return _all(
        (criteria.provider, "coalesce(provider, 'unknown') = %(provider)s"),
        (criteria.status, f"{status} = %(status)s"),
        (criteria.type, "(coalesce(type, 'UNKNOWN') = %(type)s OR event_type = %(type)s)"),
        (criteria.order, "order_id = %(order)s"),
    )


def _of_counts(criteria: Filter) -> str:
    """Return the conditions on rows of webhook_counts."""
    return _all(
        (criteria.provider, "provider = %(provider)s"),
        (criteria.status, "status = %(status)s"),
        (criteria.type, "(type = %(type)s OR event_type = %(type)s)"),
    )


def _all(*conditions: tuple[str | None, str]) -> str:
    return " AND ".join(condition for value, condition in conditions if value is not None) or "true"


def _hours(tx: Connection, criteria: Filter, values: dict[str, JsonValue]) -> Sequence[int]:
    """Return the starts of the newest hours that contain enough webhooks for the page; none if no webhook matches."""
    all_time = [spans.EARLIEST]
    days = _holding(tx, criteria, values, DAY, all_time, spans.LATEST - spans.EARLIEST)
    return _holding(tx, criteria, values, HOUR, days, DAY) if days else []


def _holding(
    tx: Connection, criteria: Filter, values: dict[str, JsonValue], span: int, within: Iterable[int], length: int
) -> list[int]:
    start, end = values["start"], values["end"]
    hour_values = {"span": span, "starts": list(within), "length": length, "after": start - span, "before": end}
    found = tx.exec_driver_sql(HOLDING.format(filter=_of_counts(criteria)), {**values, **hour_values})
    return spans.newest(((first, count) for first, count in found), span, end, values["limit"])
