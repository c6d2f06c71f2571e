"""Once a day the log forgets what was abandoned long ago. Kafka keeps it; who needs it again rebuilds a log of his own.

Age is by the times the records carry, so a console that was rebuilt cleans up the same.
"""

from threading import Event, Thread

from sqlalchemy import Connection, Engine, exc

from console import store
from runtime import clock
from runtime.logging import log
from stream.topics import REJECTED, UNVERIFIED

DAILY_S = 24 * 3600.0
AGAIN_S = 600.0
DAY_US = 24 * 3600 * 1_000_000


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
        thread = Thread(target=self._run, args=(stop,), name="retention", daemon=True)
        thread.start()
        return thread

    def clean_up(self, now: int) -> int:
        """Forget what is too old at this time (microseconds); how many abandoned webhooks that were."""
        count = 0
        while True:
            with self._store.begin() as tx:
                some = store.clean_up(tx, now - self._days * DAY_US)
            count += some
            if some < store.MOST_AT_ONCE:
                break
        with self._store.begin() as tx:
            store.clean_up_unproven(tx, now - UNVERIFIED.retention_ms * 1000, now - REJECTED.retention_ms * 1000)
        log.info(f"Cleaned up {count} failed webhooks", count=count)
        return count

    def _run(self, stop: Event) -> None:
        wait = 0.0
        while not stop.wait(wait):
            try:
                self.clean_up(clock.now())
                wait = DAILY_S
            except (exc.DBAPIError, exc.TimeoutError) as failure:
                log.warning("retention.failed", error=str(getattr(failure, "orig", failure)).strip(), seconds=AGAIN_S)
                wait = AGAIN_S
