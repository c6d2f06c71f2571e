"""Tells threads with outside effects, such as sending mail, whether the worker owns its partitions in this store."""

from threading import Event

from sqlalchemy import Connection

# A table that was dropped and restored has a new oid.
IDENTITY = "SELECT to_regclass('ownership')::oid::bigint"


class OwnershipSignal:
    """A flag that the worker sets once it has taken over its partitions, and any thread clears when the store fails.

    While the flag is cleared, no thread may do pending work, such as sending a mail: the store may have been restored
    from a backup, and the work may have been done before that.
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
        """True if the worker has taken over its partitions since the store last failed."""
        return self._event.is_set()

    def is_valid_for(self, tx: Connection) -> bool:
        """Return whether rows read in `tx` may be acted on: the flag is set, and was set in this same store.

        A store whose tables were dropped and restored meanwhile is another store.
        """
        return self.is_set and _identity(tx) == self._identity


def _identity(tx: Connection) -> int | None:
    found: int | None = tx.exec_driver_sql(IDENTITY).scalar_one()
    return found
