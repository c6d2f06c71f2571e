"""Locks the rows of aggregates that a batch may change, and inserts those that are missing first."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Row

from stream.store.statements.bulk_statement import Selected, execute


class RowLock(NamedTuple):
    """The statements that insert and lock the rows of a table, each with the parameter `keys` (text[])."""

    insert_missing: str
    select_for_update: str

    def rows(self, tx: Connection, keys: Sequence[str]) -> Sequence[Row[*Selected]]:
        """Insert missing rows, lock those of all keys until the transaction ends, and return them.

        `keys` must be sorted, so that two transactions cannot deadlock. Without keys, nothing is executed.
        """
        if not keys:
            return []
        execute(tx, self.insert_missing, {"keys": keys})
        return execute(tx, self.select_for_update, {"keys": keys}).all()
