"""Forgets what came to nothing: anybody may post what nobody signs, and it must not fill the store."""

from threading import Event, Thread

from sqlalchemy import Connection, Engine

from confirmer import store
from runtime import clock, periodic
from runtime.logging import log

HOURLY_S = 3600.0
RETRY_S = 60.0


def forget(tx: Connection, *, before: int) -> None:
    """Forget in one transaction all questions that came to nothing and were received before a time (microseconds)."""
    while store.forget(tx, before) == store.MOST_AT_ONCE:
        continue


class Housekeeping:
    """Deletes untrue and unknown questions that are older than `days`."""

    def __init__(self, database: Engine, days: int) -> None:
        self._database = database
        self._days = days

    def start(self, stop: Event) -> Thread:
        """Clean up now and each hour, in a thread of its own, until `stop` is set."""
        return periodic.start("housekeeping", lambda: self.clean_up(clock.now()), HOURLY_S, RETRY_S, stop)

    def clean_up(self, now: int) -> int:
        """Clean up as of a time (microseconds); the number of questions that were deleted."""
        count, some = 0, store.MOST_AT_ONCE
        while some == store.MOST_AT_ONCE:
            with self._database.begin() as tx:
                some = store.forget(tx, now - self._days * clock.DAY_US)
            count += some
        with self._database.begin() as tx:
            store.forget_turns(tx)
        if count:
            log.info("questions.forgotten", count=count)
        return count
