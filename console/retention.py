"""Deletes rows of the log that are older than CONSOLE_RETENTION_DAYS, once a day. The topics keep the dead letters.

Ages follow from the times in the records, so a rebuilt console deletes the same rows.
"""

from threading import Event, Thread

from sqlalchemy import Connection, Engine

from console.login import ended_sessions
from runtime import clock, periodic
from runtime.logging import log
from stream.events.topics import REFUSALS, UNVERIFIED

DAILY_S = 24 * 3600.0
RETRY_S = 600.0


DELETE_DEAD = """
WITH old AS (
    SELECT webhook_id FROM webhooks WHERE abandoned_at < %(before)s
     ORDER BY webhook_id LIMIT %(most)s FOR UPDATE SKIP LOCKED),
forgotten AS (DELETE FROM outcomes USING old WHERE event_id = webhook_id),
unfindable AS (DELETE FROM search_terms USING old WHERE subject = webhook_id),
of_issues AS (DELETE FROM issue_events USING old WHERE event_id = webhook_id)
DELETE FROM webhooks USING old WHERE webhooks.webhook_id = old.webhook_id
"""
DELETE_UNVERIFIED = """
WITH old AS (
    SELECT webhook_id FROM webhooks WHERE kind = 'unverified' AND received_at < %(before)s
     ORDER BY webhook_id LIMIT %(most)s FOR UPDATE SKIP LOCKED),
unfindable AS (DELETE FROM search_terms USING old WHERE subject = webhook_id)
DELETE FROM webhooks USING old WHERE webhooks.webhook_id = old.webhook_id
"""
DELETE_REFUSALS = """
WITH old AS (
    SELECT refusal_id FROM refusals WHERE received_at < %(before)s
     ORDER BY refusal_id LIMIT %(most)s FOR UPDATE SKIP LOCKED),
unfindable AS (DELETE FROM search_terms USING old WHERE subject = refusal_id)
DELETE FROM refusals USING old WHERE refusals.refusal_id = old.refusal_id
"""
DELETE_REFUSAL_COUNTS = "DELETE FROM refusal_counts WHERE start < %(before)s - 3600000000"
DELETE_EMPTY_COUNTS = "DELETE FROM webhook_counts WHERE count = 0"
BATCH_SIZE = 5000
"""The most webhooks or refusals that one statement deletes."""


def forget(tx: Connection, *, before: int) -> None:
    """Delete all webhooks that are ABANDONED since before this time (microseconds since 1970 UTC), in `tx`.

    Their outcomes, search terms and places in issues are deleted with them.
    """
    while _delete(tx, DELETE_DEAD, before) == BATCH_SIZE:
        pass


class Retention:
    """Deletes dead-lettered webhooks after `days`, refused and unverified ones after the retention of their topics."""

    def __init__(self, log_store: Engine, days: int) -> None:
        self._store = log_store
        self._days = days

    def start(self, stop: Event) -> Thread:
        """Start and return a thread that cleans up at once and then daily, until `stop` is set."""
        return periodic.start("retention", lambda: self.clean_up(clock.now()), DAILY_S, RETRY_S, stop)

    def clean_up(self, now: int) -> int:
        """Delete what is too old at `now` (microseconds since 1970 UTC); return the number of dead-lettered webhooks.

        Dead-lettered and unverified webhooks and refusals are deleted in transactions of BATCH_SIZE rows each, then old
        and empty counts and ended sessions in one.
        """
        count = self._delete_all(DELETE_DEAD, now - self._days * clock.DAY_US)
        self._delete_all(DELETE_UNVERIFIED, now - UNVERIFIED.retention_ms * 1000)
        refused_before = now - REFUSALS.retention_ms * 1000
        self._delete_all(DELETE_REFUSALS, refused_before)
        with self._store.begin() as tx:
            tx.exec_driver_sql(DELETE_REFUSAL_COUNTS, {"before": refused_before})
            tx.exec_driver_sql(DELETE_EMPTY_COUNTS)
            ended_sessions.forget(tx, now // 1_000_000)
        log.info(f"Cleaned up {count} failed webhooks", count=count)
        return count

    def _delete_all(self, statement: str, before: int) -> int:
        count = 0
        while True:
            with self._store.begin() as tx:
                deleted = _delete(tx, statement, before)
            count += deleted
            if deleted < BATCH_SIZE:
                return count


def _delete(tx: Connection, statement: str, before: int) -> int:
    """Delete up to BATCH_SIZE rows older than this time (microseconds since 1970 UTC); return how many."""
    return tx.exec_driver_sql(statement, {"before": before, "most": BATCH_SIZE}).rowcount
