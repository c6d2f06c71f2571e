"""Tells threads with outside effects, such as sending mail, whether the worker owns its partitions in this store."""

from threading import Event

from sqlalchemy import Connection

# A table that was dropped and restored has a new oid.
IDENTITY = "SELECT to_regclass('ownership')::oid::bigint"


class OwnershipSignal:
    """A flag the worker sets once it has taken over its partitions, and any thread clears when the store fails.

    While it is cleared, the store may have been restored and hold pending work that was done before the restore.
    """

    def __init__(self) -> None:
        self._event = Event()
        self._identity: int | None = None

    def set(self, tx: Connection) -> None:
        """Set the flag: the worker has taken over its partitions in the store of this transaction."""
        self._identity = _identity(tx)
        self._event.set()

    def clear(self) -> None:
        """Clear the flag: the store failed or was restored."""
        self._event.clear()

    @property
    def is_set(self) -> bool:
        """Return whether the worker has taken over its partitions since the store last failed."""
        return self._event.is_set()

    def is_valid_for(self, tx: Connection) -> bool:
        """Return whether rows read in this transaction may be acted on: the flag is set for this very store."""
        return self.is_set and _identity(tx) == self._identity


def _identity(tx: Connection) -> int | None:
    found: int | None = tx.exec_driver_sql(IDENTITY).scalar_one()
    return found
