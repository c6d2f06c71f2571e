"""Once a day the log forgets what was abandoned long ago. Kafka keeps it; who needs it again rebuilds a log of his own.

Age is by the times the records carry, so a console that was rebuilt cleans up the same.
"""

from threading import Event, Thread

from sqlalchemy import Connection, Engine

from console import store
from runtime import clock, periodic
from runtime.logging import log
from stream.events.topics import REJECTED, UNVERIFIED

DAILY_S = 24 * 3600.0
AGAIN_S = 600.0


def forget(tx: Connection, *, before: int) -> None:
    """Forget all webhooks that were abandoned before this time (microseconds)."""
    while store.clean_up(tx, before) == store.MOST_AT_ONCE:
        pass


class Retention:
    """Cleans up after `days`."""

    def __init__(self, log_store: Engine, days: int) -> None:
        self._store = log_store
        self._days = days

    def start(self, stop: Event) -> Thread:
        """Clean up now and each day, in a thread of its own, until `stop` is set."""
        return periodic.start("retention", lambda: self.clean_up(clock.now()), DAILY_S, AGAIN_S, stop)

    def clean_up(self, now: int) -> int:
        """Forget what is too old at this time (microseconds); how many abandoned webhooks that were."""
        count = 0
        while True:
            with self._store.begin() as tx:
                some = store.clean_up(tx, now - self._days * clock.DAY_US)
            count += some
            if some < store.MOST_AT_ONCE:
                break
        with self._store.begin() as tx:
            store.clean_up_unproven(tx, now - UNVERIFIED.retention_ms * 1000, now - REJECTED.retention_ms * 1000)
            store.clean_up_counts(tx)
        log.info(f"Cleaned up {count} failed webhooks", count=count)
        return count
