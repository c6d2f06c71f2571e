"""Queries of people's actions in the console."""

from collections.abc import Mapping

from sqlalchemy import Connection

from console.queries.criteria import Range
from console.queries.lookup import Row, rows

MAX_ROWS = 100
MAX_EXPORTED = 100_000
"""The most actions on a page, and in a file."""
# An action has a record from before it was carried out, and one with its result.
LIST = """
SELECT a.action_id::text, a.at, a.user_name, a.role, a.action, a.target, a.parameters,
       coalesce(b.result, 'requested') AS result, b.detail
  FROM actions AS a
  LEFT JOIN actions AS b ON b.action_id = a.action_id AND b.result <> 'requested'
 WHERE a.result = 'requested'
   AND (%(user)s::text IS NULL OR a.user_name = %(user)s) AND (%(action)s::text IS NULL OR a.action = %(action)s)
   AND (%(target)s::text IS NULL OR a.target = %(target)s)
   AND (%(start)s::bigint IS NULL OR a.at >= %(start)s) AND (%(end)s::bigint IS NULL OR a.at < %(end)s)
 ORDER BY a.at DESC, a.action_id LIMIT %(most)s
"""
NAMES = "SELECT DISTINCT action FROM actions ORDER BY 1"
FILTERS = ("user", "action", "target")


def select(tx: Connection, values: Mapping[str, str], within: Range, most: int = MAX_ROWS) -> list[Row]:
    """Return at most `most` actions within the range, the latest first, each with its result or `requested`.

    `values` may have any of FILTERS; an action must equal each that is given.
    """
    chosen = {name: values.get(name) or None for name in FILTERS}
    return rows(tx, LIST, {**chosen, "start": within.start, "end": within.end, "most": most})


def names(tx: Connection) -> list[str]:
    """Return the names of all actions in the log, each once, sorted."""
    return list(tx.exec_driver_sql(NAMES).scalars())
