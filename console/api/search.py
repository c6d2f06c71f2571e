"""The log searched and counted: SQL over the webhooks, guided by their counts by hour and day."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from console.api import queries, spans
from console.api.queries import Row
from console.api.query_params import Filter, Page, is_uuid
from console.api.spans import DAY, HOUR
from console.api.statistics import Counted
from console.domain import UNSUCCESSFUL

COUNTED = """
SELECT type, status, count
  FROM unnest(%(spans)b::bigint[], %(starts)b::bigint[], %(ends)b::bigint[]) AS piece (span, first, last)
  JOIN webhook_counts ON webhook_counts.span = piece.span AND start >= first AND start < last
 WHERE (is_event OR status <> 'PROCESSED') AND {filter}
"""
# What was confirmed or released counts as the event it became: the same rule as `is_event`, in the migration's words.
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
SELECT {queries.COLUMNS}
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

# Found first, by the indexes of ids: the planner would rather walk the log in the order of the page.
NAMED = """
WITH named AS MATERIALIZED (
    SELECT webhook_id FROM webhooks WHERE webhook_id = %(uuid)s::uuid OR receipt_id = %(uuid)s::uuid
     UNION SELECT webhook_id FROM webhooks WHERE provider_event_id = %(id)s
     UNION SELECT webhook_id FROM webhooks WHERE provider_ids @> ARRAY[%(id)s::text])
"""
OF_ORDER = "WITH named AS MATERIALIZED (SELECT webhook_id FROM webhooks WHERE order_id = %(order)s)"
AFTER = "(received_at, webhook_id) < (%(at)s, %(after)s::uuid)"


def counted(tx: Connection, wanted: Filter) -> list[Counted]:
    """Return the number of webhooks of each type and status."""
    pieces = spans.pieces(*spans.bounds(wanted.received))
    whole, edges = [piece for piece in pieces if piece.span], [piece for piece in pieces if not piece.span]
    parts = [COUNTED.format(filter=_of_counts(wanted))]
    parts += [COUNTED_ROWS.format(start=start, end=end, filter=_of_rows(wanted)) for _, start, end in edges]
    values = {
        "spans": [piece.span for piece in whole],
        "starts": [piece.start for piece in whole],
        "ends": [piece.end for piece in whole],
        "provider": wanted.provider,
    }
    statement = COUNT.format(parts=" UNION ALL ".join(parts))
    return [Counted(*row) for row in tx.exec_driver_sql(statement, values)]


def webhooks(tx: Connection, wanted: Filter, page: Page) -> list[Row]:
    """Return up to one row more than the page holds, newest first; the extra row shows that a next page exists."""
    start, end = spans.bounds(wanted.received)
    at, webhook_id = page.after or (None, None)
    values = {
        **{name: getattr(wanted, name) for name in ("provider", "status", "type", "order", "id")},
        "uuid": wanted.id if wanted.id and is_uuid(wanted.id) else None,
        "start": start,
        "end": end if at is None else min(end, at + 1),
        "at": at,
        "after": webhook_id,
        "limit": page.limit + 1,
    }
    if wanted.order is not None or wanted.id is not None:
        return _page(tx, wanted, values, _named(wanted))
    if wanted.provider is None and wanted.status is None and wanted.type is None:
        return _page(tx, wanted, values, PAGE.replace("{source}", "webhooks"))
    hours = _hours(tx, wanted, values)
    return _page(tx, wanted, {**values, "hours": hours}, WITHIN_HOURS.replace("{source}", "webhooks")) if hours else []


def _page(tx: Connection, wanted: Filter, values: dict[str, Any], statement: str) -> list[Row]:
    return queries.rows(
        tx, statement.format(filter=_of_rows(wanted), after=AFTER if values["at"] is not None else "true"), values
    )


def _named(wanted: Filter) -> str:
    """The page of an order, of an id, or of both."""
    known = NAMED if wanted.id is not None else OF_ORDER
    return known + PAGE.replace("{source}", "named JOIN webhooks USING (webhook_id)")


def _of_rows(wanted: Filter) -> str:
    """The conditions on a webhook's row."""
    status = "unsuccessful" if wanted.status in UNSUCCESSFUL else "status"
    return _all(
        (wanted.provider, "coalesce(provider, 'unknown') = %(provider)s"),
        (wanted.status, f"{status} = %(status)s"),
        (wanted.type, "(coalesce(type, 'UNKNOWN') = %(type)s OR event_type = %(type)s)"),
        (wanted.order, "order_id = %(order)s"),
    )


def _of_counts(wanted: Filter) -> str:
    """The same conditions on what is counted."""
    return _all(
        (wanted.provider, "provider = %(provider)s"),
        (wanted.status, "status = %(status)s"),
        (wanted.type, "(type = %(type)s OR event_type = %(type)s)"),
    )


def _all(*conditions: tuple[str | None, str]) -> str:
    return " AND ".join(condition for value, condition in conditions if value is not None) or "true"


def _hours(tx: Connection, wanted: Filter, values: dict[str, Any]) -> Sequence[int]:
    """The newest hours that hold as many webhooks as the page; none when there is no such webhook."""
    all_time = [spans.EARLIEST]
    days = _holding(tx, wanted, values, DAY, all_time, spans.LATEST - spans.EARLIEST)
    return _holding(tx, wanted, values, HOUR, days, DAY) if days else []


def _holding(
    tx: Connection, wanted: Filter, values: dict[str, Any], span: int, within: Iterable[int], length: int
) -> list[int]:
    start, end = values["start"], values["end"]
    given = {"span": span, "starts": list(within), "length": length, "after": start - span, "before": end}
    found = tx.exec_driver_sql(HOLDING.format(filter=_of_counts(wanted)), {**values, **given})
    return spans.newest(((first, count) for first, count in found), span, end, values["limit"])
