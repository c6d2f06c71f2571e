"""Delete old rows of the log once a day. Kafka keeps the dead letters; a rebuild of the log can read them again.

Ages follow from the times in the records, so a rebuilt console deletes the same rows.
"""

from threading import Event, Thread

from sqlalchemy import Connection, Engine

from console.login import ended_sessions
from runtime import clock, periodic
from runtime.logging import log
from stream.events.topics import REJECTED, UNVERIFIED

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
WITH old AS (DELETE FROM webhooks WHERE kind = 'unverified' AND received_at < %(before)s RETURNING webhook_id),
unfindable AS (DELETE FROM search_terms USING old WHERE subject = webhook_id)
SELECT count(*) FROM old
"""
DELETE_REFUSALS = """
WITH old AS (DELETE FROM refusals WHERE received_at < %(before)s RETURNING refusal_id),
unfindable AS (DELETE FROM search_terms USING old WHERE subject = refusal_id)
SELECT count(*) FROM old
"""
DELETE_REFUSAL_COUNTS = "DELETE FROM refusal_counts WHERE start < %(before)s - 3600000000"
DELETE_EMPTY_COUNTS = "DELETE FROM webhook_counts WHERE count = 0"
BATCH_SIZE = 5000


def forget(tx: Connection, *, before: int) -> None:
    """Delete all webhooks that were dead-lettered before this time (microseconds since 1970 UTC)."""
    while _delete_dead(tx, before) == BATCH_SIZE:
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
                deleted = _delete_dead(tx, now - self._days * clock.DAY_US)
            count += deleted
            if deleted < BATCH_SIZE:
                break
        with self._store.begin() as tx:
            _delete_unverified(tx, now - UNVERIFIED.retention_ms * 1000, now - REJECTED.retention_ms * 1000)
            _delete_empty_counts(tx)
            ended_sessions.forget(tx, now // 1_000_000)
        log.info(f"Cleaned up {count} failed webhooks", count=count)
        return count


def _delete_dead(tx: Connection, before: int) -> int:
    """Delete up to BATCH_SIZE webhooks that were dead-lettered before this time (microseconds since 1970 UTC).

    Return how many.
    """
    return tx.exec_driver_sql(DELETE_DEAD, {"before": before, "most": BATCH_SIZE}).rowcount


def _delete_unverified(tx: Connection, unverified_before: int, refused_before: int) -> int:
    """Delete unverified webhooks and rejected requests received before these times; return how many."""
    unverified: int = tx.exec_driver_sql(DELETE_UNVERIFIED, {"before": unverified_before}).scalar_one()
    tx.exec_driver_sql(DELETE_REFUSAL_COUNTS, {"before": refused_before})
    refused: int = tx.exec_driver_sql(DELETE_REFUSALS, {"before": refused_before}).scalar_one()
    return unverified + refused


def _delete_empty_counts(tx: Connection) -> None:
    """Delete counts that have fallen to 0."""
    tx.exec_driver_sql(DELETE_EMPTY_COUNTS)
