"""The rows of one order in a schema that a replay of this order alone has filled."""

from sqlalchemy import Connection

from stream.replay.diff import STREAM_TABLES
from stream.replay.schema import quoted, tables

HIDDEN = [
    "payload",
    "registers",
    "metadata",
    "cancels",
    "created_at",
    "updated_at",
    "waiting_since",
    "pending",
    "event",
]
"""Columns that are long, that are not about the order, or that depend on the time of the replay."""
NAMED = """
SELECT column_name::text FROM information_schema.columns
 WHERE table_schema = %(schema)s AND table_name = %(table)s
   AND column_name IN ('order_id', 'invoice_id', 'last_order_id')
"""


def rows(tx: Connection, schema: str, order: str) -> list[tuple[str, dict[str, object]]]:
    """Return the rows of an order as pairs of table and columns; first those of history tables, by time.

    Columns in HIDDEN and those that are NULL are left out.
    """
    names = [name for name in tables(tx, schema) if name not in STREAM_TABLES]
    histories = sorted(names, key=lambda name: not name.endswith("_history"))
    return [(name, row) for name in histories for row in _rows(tx, schema, name, order)]


def _rows(tx: Connection, schema: str, table: str, order: str) -> list[dict[str, object]]:
    """Return the rows of one table that name the order, and all rows of a history table.

    The replay applied only records of this order, but some of its history rows do not name it.
    """
    columns = list(tx.exec_driver_sql(NAMED, {"schema": schema, "table": table}).scalars())
    if not columns:
        return []
    is_history = table.endswith("_history")
    is_of_order = "true" if is_history else " OR ".join(f"{quoted(column)} = %(order)s" for column in columns)
    when = "coalesce(occurred_at, received_at)" if is_history else "1"
    statement = f"""
        SELECT jsonb_strip_nulls(to_jsonb(r) - %(hidden)s::text[])
          FROM {quoted(schema)}.{quoted(table)} AS r WHERE {is_of_order} ORDER BY {when}
    """  # noqa: S608 - quoted names of our own schema
    return list(tx.exec_driver_sql(statement, {"order": order, "hidden": HIDDEN}).scalars())
