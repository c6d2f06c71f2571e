"""An order as a replay of it alone left it: every webhook that was applied, then the rows that follow from them."""

from typing import Any

from sqlalchemy import Connection

from stream.replay.diff import OF_THE_STREAM
from stream.replay.schema import quoted, tables

HIDDEN = ["payload", "told", "metadata", "cancels", "created_at", "updated_at", "waiting_since", "orphan", "fact"]
"""What is long, what is not the order's, and what only says when this copy was made."""
NAMED = """
SELECT column_name::text FROM information_schema.columns
 WHERE table_schema = %(schema)s AND table_name = %(table)s
   AND column_name IN ('order_id', 'invoice_id', 'last_order_id')
"""


def rows(tx: Connection, schema: str, order: str) -> list[tuple[str, dict[str, Any]]]:
    """The rows of an order, its history first and in the order it happened: table and columns."""
    names = [name for name in tables(tx, schema) if name not in OF_THE_STREAM]
    histories = sorted(names, key=lambda name: not name.endswith("_history"))
    return [(name, row) for name in histories for row in _rows(tx, schema, name, order)]


def _rows(tx: Connection, schema: str, table: str, order: str) -> list[dict[str, Any]]:
    """Of a history all of it: nothing but what is of the order was applied, though not each webhook names it."""
    columns = list(tx.exec_driver_sql(NAMED, {"schema": schema, "table": table}).scalars())
    if not columns:
        return []
    is_history = table.endswith("_history")
    is_of_order = "true" if is_history else " OR ".join(f"{quoted(column)} = %(order)s" for column in columns)
    when = "coalesce(occurred_at, received_at)" if is_history else "1"
    statement = f"""
        SELECT jsonb_strip_nulls(to_jsonb(r) - %(hidden)s::text[])
          FROM {quoted(schema)}.{quoted(table)} AS r WHERE {is_of_order} ORDER BY {when}
    """  # noqa: S608 - names of ours, quoted
    return list(tx.exec_driver_sql(statement, {"order": order, "hidden": HIDDEN}).scalars())
