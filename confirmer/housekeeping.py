"""Deletes unconfirmed verifications. Anybody can post unsigned webhooks, which must not fill the store."""

from threading import Event, Thread

from sqlalchemy import Connection, Engine

from confirmer import store
from runtime import clock, periodic
from runtime.logging import log

HOURLY_S = 3600.0
RETRY_S = 60.0


def delete_ended(tx: Connection, *, before: int) -> None:
    """Delete all untrue and unknown verifications received before a time (microseconds), in the transaction `tx`."""
    while store.delete_ended(tx, before) == store.DELETE_BATCH:
        continue


class Housekeeping:
    """Deletes untrue and unknown verifications that were received more than `days` ago, and past turns."""

    def __init__(self, database: Engine, days: int) -> None:
        self._database = database
        self._days = days

    def start(self, stop: Event) -> Thread:
        """Clean up now and every hour, in a thread of its own, until `stop` is set."""
        return periodic.start("housekeeping", lambda: self.clean_up(clock.now()), HOURLY_S, RETRY_S, stop)

    def clean_up(self, now: int) -> int:
        """Delete what is too old at the time `now` (microseconds), and past turns, each batch in its own transaction.

        Return the number of deleted verifications.
        """
        count, deleted = 0, store.DELETE_BATCH
        while deleted == store.DELETE_BATCH:
            with self._database.begin() as tx:
                deleted = store.delete_ended(tx, now - self._days * clock.DAY_US)
            count += deleted
        with self._database.begin() as tx:
            store.delete_past_turns(tx)
        if count:
            log.info("verification_requests.deleted", count=count)
        return count
