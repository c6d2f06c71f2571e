"""The statements of a `Table`: its columns and their types are written once, in the table (ADR 33).

SQLAlchemy's compiler cannot ask for binary parameters (`%(name)b`), so that the statements are texts.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects import postgresql

from stream.store.statements.bulk_statement import BulkStatement
from stream.store.statements.row_lock import RowLock

ARRAYS = {
    Text: "text[]",
    Integer: "int[]",
    BigInteger: "bigint[]",
    Boolean: "boolean[]",
    LargeBinary: "bytea[]",
    postgresql.TIMESTAMP: "timestamptz[]",
    Uuid: "text[]::uuid[]",
    JSON: "text[]::json[]",
    ARRAY: "text[]",
}
"""The array that a column of a type is sent as. Ids and JSON are str in Python, so they are sent as text and cast.

Times are int in Python: microseconds since 1970 UTC. A list is sent as one text, its elements separated by newlines:
Postgres flattens an array of arrays.
"""
READ_AS_TEXT = (Uuid, JSON)
DATABASE_TIMES = {"created_at", "updated_at"}
"""Columns that the database sets: each to the time of the row's first and last change."""

_quoted = postgresql.dialect().identifier_preparer.quote  # type: ignore[no-untyped-call]


def insert(table: Table, *, without: Collection[str] = ()) -> BulkStatement:
    """Return the statement that inserts rows with all columns but `without` and those that the database sets."""
    columns = [column for column in _written(table) if column.name not in without]
    return BulkStatement(f"INSERT INTO {table.name} ({_list(columns)}) {_rows(columns)}", _names(columns))


def insert_new(table: Table, *, without: Collection[str] = ()) -> BulkStatement:
    """Return the statement of `insert` that leaves out rows whose primary or unique key is stored already."""
    return insert(table, without=without).followed_by("ON CONFLICT DO NOTHING")


def upsert(
    table: Table, *, without: Collection[str] = (), keeps: Collection[str] = (), unless_null: Collection[str] = ()
) -> BulkStatement:
    """Return the statement that inserts rows, or updates those with the same primary key.

    An update leaves the columns `without` and `keeps` as they are, and those in `unless_null` where the new value is
    NULL.
    """
    start, unchanged = insert(table, without=without), {*without, *keeps}
    changes = _changes(table, [c for c in _changing(table) if c.name not in unchanged], "excluded", unless_null)
    return BulkStatement(f"{start.text} ON CONFLICT ({_list(_key(table))}) DO UPDATE SET {changes}", start.columns)


def update(table: Table, *names: str, unless_null: Collection[str] = ()) -> BulkStatement:
    """Return the statement that updates the columns `names`, none of them lists, of rows found by their primary key.

    Without `names`, it updates all columns but the key and those that the database sets. Columns in `unless_null` stay
    as they are where the new value is NULL. Keys without a row are ignored.
    """
    changing = [table.columns[name] for name in names] or _changing(table)
    columns = [*_key(table), *changing]
    has_key = " AND ".join(f"{table.name}.{_quoted(key.name)} = saved.{_quoted(key.name)}" for key in _key(table))
    source = f"{_unnested(columns)} AS saved ({_list(columns)})"
    changes = _changes(table, changing, "saved", unless_null)
    return BulkStatement(f"UPDATE {table.name} SET {changes} FROM {source} WHERE {has_key}", _names(columns))  # noqa: S608


def insert_missing(table: Table) -> str:
    """Return the statement that inserts a row of defaults for each key in its parameter `keys` (text[]) without one.

    The primary key of the table must be one text column.
    """
    return f"INSERT INTO {table.name} ({_list(_key(table))}) SELECT unnest(%(keys)b::text[]) ON CONFLICT DO NOTHING"


def row_lock(table: Table, *names: str) -> RowLock:
    """Return the statements that insert missing rows, and lock rows in the order of their keys.

    The rows have the key, which must be one text column, and the columns `names`.
    """
    (key,) = _key(table)
    locking = f"{select(table, key.name, *names)} ORDER BY {_quoted(key.name)} FOR UPDATE"
    return RowLock(insert_missing(table), locking)


def select(table: Table, by: str, *names: str) -> str:
    """Return the statement that selects the rows whose column `by` is in its parameter `keys` (text[]).

    It selects `by` and the columns `names`, ids and JSON as text.
    """
    selected = ", ".join(_selected(table.columns[name]) for name in (by, *names))
    return f"SELECT {selected} FROM {table.name} WHERE {_quoted(by)} = ANY (%(keys)b::text[])"  # noqa: S608 - our tables


def _written(table: Table) -> list[Column[object]]:
    return [column for column in table.columns if column.computed is None and not _is_database_time(column)]


def _is_database_time(column: Column[object]) -> bool:
    return column.name in DATABASE_TIMES and column.server_default is not None


def _key(table: Table) -> list[Column[object]]:
    return list(table.primary_key.columns)


def _changing(table: Table) -> list[Column[object]]:
    return [column for column in _written(table) if not column.primary_key]


def _changes(table: Table, columns: Iterable[Column[object]], source: str, unless_null: Collection[str]) -> str:
    names = {column.name: _quoted(column.name) for column in columns}
    values = {name: f"{source}.{quoted}" for name, quoted in names.items()}
    values |= {name: f"coalesce({values[name]}, {table.name}.{names[name]})" for name in unless_null}
    changes = [f"{names[name]} = {value}" for name, value in values.items()]
    return ", ".join([*changes, "updated_at = now()"] if "updated_at" in table.columns else changes)


def _rows(columns: Collection[Column[object]]) -> str:
    if not any(isinstance(column.type, ARRAY) for column in columns):
        return f"SELECT * FROM {_unnested(columns)}"  # noqa: S608 - our tables
    return f"SELECT {', '.join(map(_received, columns))} FROM {_unnested(columns)} AS sent ({_list(columns)})"  # noqa: S608


def _received(column: Column[object]) -> str:
    name, kind = _quoted(column.name), column.type
    return f"string_to_array({name}, E'\\n')::{ARRAYS[type(kind.item_type)]}" if isinstance(kind, ARRAY) else name


def _unnested(columns: Iterable[Column[object]]) -> str:
    arrays = ", ".join(f"%({column.name})b::{ARRAYS[type(column.type)]}" for column in columns)
    return f"unnest({arrays})"


def _selected(column: Column[object]) -> str:
    name = _quoted(column.name)
    return f"{name}::text AS {name}" if isinstance(column.type, READ_AS_TEXT) else name


def _list(columns: Iterable[Column[object]]) -> str:
    return ", ".join(_quoted(column.name) for column in columns)


def _names(columns: Iterable[Column[object]]) -> tuple[str, ...]:
    return tuple(column.name for column in columns)
