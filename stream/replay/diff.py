"""How a replayed schema differs from the live one: table by table, by counts, a hash, and the rows themselves.

A row is its columns but for those that only say when it was written. Rows are compared as JSON, in which the order of
a document's names says nothing.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from stream.replay.fill import ledger
from stream.replay.schema import quoted, tables
from stream.replay.spec import ReplaySpec

OF_THE_STREAM = frozenset(
    {"alembic_version", "ownership", "inbox", "outbox", "parked", "idempotency_keys", *ledger.TABLES}
)
BY_THE_WAY = frozenset({"waiting_since", "outcome"})
"""Columns that say when and in which order this store learnt something, beside those that default to now().

Of two partitions nobody knows which the live service read first: so an event may have been `late` there and not here.
"""

KEY = """
SELECT attname::text FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
 WHERE indrelid = %(table)s::regclass AND indisprimary ORDER BY array_position(indkey::int2[], attnum)
"""
WRITTEN_AT = """
SELECT column_name::text FROM information_schema.columns
 WHERE table_schema = %(schema)s AND table_name = %(table)s AND column_default = 'now()'
"""
ABANDONED = """
SELECT was.event_id::text, was.topic, was.partition, was."offset", now_.outcome, coalesce(parked.error, '')
  FROM {live}.inbox AS was JOIN {new}.inbox AS now_ USING (event_id) LEFT JOIN {live}.parked USING (event_id)
 WHERE was.outcome = 'abandoned' AND now_.outcome IN ('processed', 'late', 'waiting')
 ORDER BY 2, 3, 4
"""


@dataclass(frozen=True, slots=True)
class Table:
    """One table in both schemas: how many rows each has, and a hash over all of each."""

    name: str
    live: tuple[int, str]
    new: tuple[int, str]

    @property
    def is_equal(self) -> bool:
        return self.live == self.new


@dataclass(frozen=True, slots=True)
class Row:
    """A row that differs: its table and key, and of each side the columns that differ (None: no such row)."""

    table: str
    key: str
    live: dict[str, Any] | None
    new: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Rescued:
    """An event that the live service gave up on, and that the replay applied, or keeps waiting for what it needs."""

    event_id: str
    topic: str
    partition: int
    offset: int
    outcome: str
    error: str

    @property
    def stood(self) -> str:
        return f"{self.topic}/{self.partition}@{self.offset}"


@dataclass(frozen=True, slots=True)
class Difference:
    """All of it; `rows` are no more than were asked for."""

    tables: list[Table]
    rows: list[Row]
    rescued: list[Rescued]


def compare(tx: Connection, live: str, new: str, subject: ReplaySpec, most: int) -> Difference:
    """How the schema `new` differs from `live` in what topics tell; `tx` should see one moment of both."""
    compared: list[Table] = []
    rows: list[Row] = []
    for name in tables(tx, new):
        if name in OF_THE_STREAM:
            continue
        left_out = sorted({*_written_at(tx, new, name), *BY_THE_WAY, *subject.ignored_columns})
        told = f"NOT ({subject.unreplayed_rows.get(name, 'false')})"
        table = Table(name, _sum(tx, live, name, left_out, told), _sum(tx, new, name, left_out, told))
        compared.append(table)
        if not table.is_equal and len(rows) < most:
            rows += _rows(tx, (live, new), name, left_out, told, most - len(rows))
    return Difference(compared, rows, _rescued(tx, live, new))


def _sum(tx: Connection, schema: str, table: str, left_out: list[str], told: str) -> tuple[int, str]:
    """How many rows, and the sum of their hashes: the same in whatever order they stand."""
    statement = f"""
        SELECT count(*), coalesce(sum(hashtextextended((to_jsonb(r) - %(out)s::text[])::text, 0)::numeric), 0)::text
          FROM {quoted(schema)}.{quoted(table)} AS r WHERE {told}
    """  # noqa: S608 - names of ours, quoted
    count, total = tx.exec_driver_sql(statement, {"out": left_out}).one()
    return count, total


def _rows(tx: Connection, schemas: tuple[str, str], table: str, left_out: list[str], told: str, most: int) -> list[Row]:
    live, new = (f"{quoted(schema)}.{quoted(table)}" for schema in schemas)
    key = list(tx.exec_driver_sql(KEY, {"table": new}).scalars())
    columns = ", ".join(map(quoted, key))
    said = f"SELECT {columns}, to_jsonb(r) - %(out)s::text[] AS said FROM {{}} AS r WHERE {told}"  # noqa: S608
    statement = f"""
        SELECT concat_ws(' ', {columns}), l.said, n.said
          FROM ({said.format(live)}) AS l FULL JOIN ({said.format(new)}) AS n USING ({columns})
         WHERE l.said IS DISTINCT FROM n.said ORDER BY 1 LIMIT %(most)s
    """  # noqa: S608 - names of ours, quoted
    found: Any = tx.exec_driver_sql(statement, {"out": left_out, "most": most})
    return [_row(table, *one) for one in found]


def _row(table: str, key: str, live: dict[str, Any] | None, new: dict[str, Any] | None) -> Row:
    if live is None or new is None:
        return Row(table, key, live, new)
    names = [name for name in sorted(new) if live.get(name) != new[name]]
    return Row(table, key, {name: live.get(name) for name in names}, {name: new[name] for name in names})


def _rescued(tx: Connection, live: str, new: str) -> list[Rescued]:
    statement = ABANDONED.format(live=quoted(live), new=quoted(new))
    return [Rescued(*row) for row in tx.exec_driver_sql(statement)]


def _written_at(tx: Connection, schema: str, table: str) -> list[str]:
    return list(tx.exec_driver_sql(WRITTEN_AT, {"schema": schema, "table": table}).scalars())
