"""A statement that writes many rows at once. Each column is sent as one binary array."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, CursorResult

from stream.store.statements import binary_arrays

ColumnValues = Mapping[str, Sequence[object]]
"""The values of many rows: by a column's name, a sequence with one value for each row."""
Selected = tuple[Any, ...]
"""The values of one selected row, in the order of the statement's columns."""


class BulkStatement(NamedTuple):
    """A statement with one array parameter for each of `columns`, named like the column."""

    text: str
    columns: tuple[str, ...]

    def followed_by(self, clause: str) -> "BulkStatement":
        """Return the statement with a clause at its end, such as a condition on the rows that it changes."""
        return self._replace(text=f"{self.text} {clause}")

    def execute(self, tx: Connection, rows: Iterable[Mapping[str, object]]) -> None:
        """Execute the statement once for all rows, and not at all for none. Raises KeyError if a row lacks a column."""
        self.execute_columns(tx, self.columns_of(rows))

    def execute_columns(self, tx: Connection, columns: ColumnValues) -> None:
        """Execute the statement once for all rows, and not at all for none; half the cost of `execute` for each row.

        Raises ValueError unless `columns` are exactly the statement's columns, and equally long.
        """
        if self.count(columns):
            execute(tx, self.text, columns)

    def columns_of(self, rows: Iterable[Mapping[str, object]]) -> ColumnValues:
        """Return the values of the statement's columns in these rows. Raises KeyError if a row lacks a column."""
        given = list(rows)
        return {name: [row[name] for row in given] for name in self.columns}

    def count(self, columns: ColumnValues) -> int:
        """Return the number of rows that `columns` hold: the length of every column.

        Raises ValueError unless `columns` are exactly the statement's columns, and equally long: `unnest` would fill a
        shorter one with NULL.
        """
        lengths = {name: len(values) for name, values in columns.items()}
        if lengths.keys() != set(self.columns) or len(set(lengths.values())) != 1:
            raise ValueError(f"columns of one length are required: {', '.join(self.columns)}; there are {lengths}")
        return lengths[self.columns[0]]


def execute(tx: Connection, statement: str, columns: ColumnValues) -> CursorResult[*Selected]:
    """Execute a statement, also for no rows, and return its result.

    The statement has `%(name)b::type[]` for each column, whose values are sent as one array. Raises what
    `binary_arrays.bound` raises.
    """
    return tx.exec_driver_sql(statement, binary_arrays.bound(statement, columns))
