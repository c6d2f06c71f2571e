"""Tells threads with outside effects whether the store is still the one in which the worker owns its partitions."""

from threading import Event

from sqlalchemy import Connection

# A table that was dropped and restored has another one.
IDENTITY = "SELECT to_regclass('ownership')::oid::bigint"


class OwnershipSignal:
    """Given by the worker when it has taken its partitions over, withdrawn by whoever finds the store failing.

    Until it is given again, a store that was restored may hold work that was done long ago.
    """

    def __init__(self) -> None:
        self._given = Event()
        self._identity: int | None = None

    def give(self, tx: Connection) -> None:
        """The worker has found out how far this store is."""
        self._identity = _identity(tx)
        self._given.set()

    def withdraw(self) -> None:
        """The store failed, or is not as it was left."""
        self._given.clear()

    @property
    def is_given(self) -> bool:
        """Whether the worker has taken its partitions over since the store last failed."""
        return self._given.is_set()

    def holds(self, tx: Connection) -> bool:
        """Return whether rows of this transaction may be acted on."""
        return self.is_given and _identity(tx) == self._identity


def _identity(tx: Connection) -> int | None:
    found: int | None = tx.exec_driver_sql(IDENTITY).scalar_one()
    return found
