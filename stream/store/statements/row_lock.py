"""Locks the rows of aggregates that a batch may change, and inserts those that are missing first."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Row

from stream.store.statements.bulk_statement import Selected, execute


class RowLock(NamedTuple):
    """The statements that insert and lock the rows of a table, each with the parameter `keys` (text[])."""

    insert_missing: str
    select_for_update: str

    def rows(self, tx: Connection, keys: Collection[str]) -> Sequence[Row[*Selected]]:
        """Insert missing rows, lock those of all keys until the transaction ends, and return them.

        Without keys, nothing is executed.
        """
        if not keys:
            return []
        in_order = sorted(keys)  # every transaction inserts and locks in this order, so that two cannot deadlock
        execute(tx, self.insert_missing, {"keys": in_order})
        return execute(tx, self.select_for_update, {"keys": in_order}).all()
