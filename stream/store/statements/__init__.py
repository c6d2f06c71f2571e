"""Statements that write many rows at once, built from a `Table` when a store is imported."""

from stream.store.statements.builders import (
    insert,
    insert_missing,
    insert_new,
    row_lock,
    select,
    update,
    upsert,
)
from stream.store.statements.bulk_statement import BulkStatement, ColumnValues, execute

__all__ = [
    "BulkStatement",
    "ColumnValues",
    "execute",
    "insert",
    "insert_missing",
    "insert_new",
    "row_lock",
    "select",
    "update",
    "upsert",
]
