"""Delete old rows of the log once a day. Kafka keeps the dead letters; a rebuild of the log can read them again.

Ages follow from the times in the records, so a rebuilt console deletes the same rows.
"""

from threading import Event, Thread

from sqlalchemy import Connection, Engine

from console import store
from runtime import clock, periodic
from runtime.logging import log
from stream.events.topics import REJECTED, UNVERIFIED

DAILY_S = 24 * 3600.0
RETRY_S = 600.0


def forget(tx: Connection, *, before: int) -> None:
    """Delete all webhooks that were dead-lettered before this time (microseconds since 1970 UTC)."""
    while store.clean_up(tx, before) == store.CLEAN_UP_BATCH:
        pass


class Retention:
    """Deletes dead-lettered webhooks after `days`, rejected and unverified ones as their topics do."""

    def __init__(self, log_store: Engine, days: int) -> None:
        self._store = log_store
        self._days = days

    def start(self, stop: Event) -> Thread:
        """Clean up now and then daily, in a thread, until `stop` is set."""
        return periodic.start("retention", lambda: self.clean_up(clock.now()), DAILY_S, RETRY_S, stop)

    def clean_up(self, now: int) -> int:
        """Delete the rows that are too old at `now` (microseconds since 1970 UTC).

        Return the number of dead-lettered webhooks among them. Each batch is a transaction of its own.
        """
        count = 0
        while True:
            with self._store.begin() as tx:
                deleted = store.clean_up(tx, now - self._days * clock.DAY_US)
            count += deleted
            if deleted < store.CLEAN_UP_BATCH:
                break
        with self._store.begin() as tx:
            store.clean_up_unverified(tx, now - UNVERIFIED.retention_ms * 1000, now - REJECTED.retention_ms * 1000)
            store.clean_up_counts(tx)
        log.info(f"Cleaned up {count} failed webhooks", count=count)
        return count
