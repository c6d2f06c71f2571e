"""Compares a replayed schema with the live one, table by table: the number of rows, a hash, and the differing rows.

Columns that default to the time of writing are left out. Rows are compared as JSON, in which the order of keys has no
meaning.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from stream.replay.schema import quoted, tables
from stream.replay.spec import ReplaySpec
from stream.store.tables import METADATA

STREAM_TABLES = frozenset({"alembic_version", *METADATA.tables})
"""The tables of every worker and of alembic, which are not compared."""
ORDER_DEPENDENT = frozenset({"waiting_since", "outcome"})
"""Columns that are left out because they depend on when and in which order records were read.

The order in which the live service read two partitions is not known, so an event may be `late` only there.
"""

KEY = """
SELECT attname::text FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
 WHERE indrelid = %(table)s::regclass AND indisprimary ORDER BY array_position(indkey::int2[], attnum)
"""
WRITTEN_AT = """
SELECT column_name::text FROM information_schema.columns
 WHERE table_schema = %(schema)s AND table_name = %(table)s AND column_default = 'now()'
"""
DEAD = """
SELECT was.event_id::text, was.topic, was.partition, was."offset", now_.outcome, coalesce(retries.error, '')
  FROM {live}.inbox AS was JOIN {new}.inbox AS now_ USING (event_id) LEFT JOIN {live}.retries USING (event_id)
 WHERE was.outcome = 'dead' AND now_.outcome IN ('processed', 'late', 'waiting')
 ORDER BY 2, 3, 4
"""


@dataclass(frozen=True, slots=True)
class TableDifference:
    """The number of rows of the table `name` and the hash over all of them, in the live and in the new schema."""

    name: str
    live: tuple[int, str]
    new: tuple[int, str]

    @property
    def is_equal(self) -> bool:
        return self.live == self.new


@dataclass(frozen=True, slots=True)
class RowDifference:
    """A differing row: its table, its primary key as text, and the differing columns in each schema.

    If the row is missing in a schema, that schema has None here, and the other has all columns.
    """

    table: str
    key: str
    live: dict[str, object] | None
    new: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class RescuedEvent:
    """An event that is dead in the live store, and `processed`, `late` or `waiting` (`outcome`) in the replayed one.

    `error` is the last error in the live store; "" if the event waited too long there.
    """

    event_id: str
    topic: str
    partition: int
    offset: int
    outcome: str
    error: str

    @property
    def location(self) -> str:
        return f"{self.topic}/{self.partition}@{self.offset}"


@dataclass(frozen=True, slots=True)
class Difference:
    """The result of `compare`: all tables, also equal ones; at most as many rows as requested; all rescued events."""

    tables: list[TableDifference]
    rows: list[RowDifference]
    rescued: list[RescuedEvent]


def compare(tx: Connection, live: str, new: str, spec: ReplaySpec, most: int) -> Difference:
    """Return the difference between the schemas `live` and `new`, with at most `most` differing rows of all tables.

    The tables of `new` are compared, each of which `live` must have, except STREAM_TABLES; columns of the writing time,
    those in ORDER_DEPENDENT, and what `spec` leaves out are not. `tx` should have the isolation level REPEATABLE READ,
    so that it sees both schemas at one moment.
    """
    compared: list[TableDifference] = []
    rows: list[RowDifference] = []
    for name in tables(tx, new):
        if name in STREAM_TABLES:
            continue
        left_out = sorted({*_written_at(tx, new, name), *ORDER_DEPENDENT, *spec.ignored_columns})
        is_replayed = f"NOT ({spec.unreplayed_rows.get(name, 'false')})"
        table = TableDifference(
            name, _sum(tx, live, name, left_out, is_replayed), _sum(tx, new, name, left_out, is_replayed)
        )
        compared.append(table)
        if not table.is_equal and len(rows) < most:
            rows += _rows(tx, (live, new), name, left_out, is_replayed, most - len(rows))
    return Difference(compared, rows, _rescued(tx, live, new))


def _sum(tx: Connection, schema: str, table: str, left_out: list[str], is_replayed: str) -> tuple[int, str]:
    """Return the number of rows and the sum of their hashes, which does not depend on the order of the rows."""
    statement = f"""
        SELECT count(*), coalesce(sum(hashtextextended((to_jsonb(r) - %(out)s::text[])::text, 0)::numeric), 0)::text
          FROM {quoted(schema)}.{quoted(table)} AS r WHERE {is_replayed}
    """  # noqa: S608 - quoted names of our own schema
    count, total = tx.exec_driver_sql(statement, {"out": left_out}).one()
    return count, total


def _rows(
    tx: Connection, schemas: tuple[str, str], table: str, left_out: list[str], is_replayed: str, most: int
) -> list[RowDifference]:
    live, new = (f"{quoted(schema)}.{quoted(table)}" for schema in schemas)
    key = list(tx.exec_driver_sql(KEY, {"table": new}).scalars())
    columns = ", ".join(map(quoted, key))
    select = f"SELECT {columns}, to_jsonb(r) - %(out)s::text[] AS said FROM {{}} AS r WHERE {is_replayed}"  # noqa: S608
    statement = f"""
        SELECT concat_ws(' ', {columns}), l.said, n.said
          FROM ({select.format(live)}) AS l FULL JOIN ({select.format(new)}) AS n USING ({columns})
         WHERE l.said IS DISTINCT FROM n.said ORDER BY 1 LIMIT %(most)s
    """  # noqa: S608 - quoted names of our own schema
    found = tx.exec_driver_sql(statement, {"out": left_out, "most": most})
    return [_row(table, name, live_row, new_row) for name, live_row, new_row in found]


def _row(table: str, key: str, live: dict[str, object] | None, new: dict[str, object] | None) -> RowDifference:
    if live is None or new is None:
        return RowDifference(table, key, live, new)
    names = [name for name in sorted(new) if live.get(name) != new[name]]
    return RowDifference(table, key, {name: live.get(name) for name in names}, {name: new[name] for name in names})


def _rescued(tx: Connection, live: str, new: str) -> list[RescuedEvent]:
    statement = DEAD.format(live=quoted(live), new=quoted(new))
    return [RescuedEvent(*row) for row in tx.exec_driver_sql(statement)]


def _written_at(tx: Connection, schema: str, table: str) -> list[str]:
    return list(tx.exec_driver_sql(WRITTEN_AT, {"schema": schema, "table": table}).scalars())
