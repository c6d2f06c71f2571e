"""The table of failed events (`retries`): their attempts, when each is retried, and the dead and dismissed ones."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from runtime import faults
from stream.kafka.delivery import Delivery
from stream.kafka.position import EventPosition, Partition, columns_of
from stream.state import retry_policy
from stream.state.retry_policy import MAX_RETRIES
from stream.store.statements import BulkStatement

Status = Literal["retrying", "dead"]
"""The states that a failed event gets by itself. An operator may dismiss a dead event, which is then `dismissed`."""
STATUSES = ("retrying", "dead", "dismissed")
"""All values of the column `status`.

An event that has waited too long is dead without a row in `retries`. If it is dismissed, it gets a row without bytes
and with 0 attempts.
"""


@dataclass(frozen=True, slots=True)
class FailedEvent:
    """A failed event with its record's position and bytes, the number of attempts so far, and the last error."""

    event_id: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    attempts: int
    error: str


class Dismissed(NamedTuple):
    """A dismissed event: its id and position, the number of attempts (at least 1), and the operator's reason."""

    position: EventPosition
    attempts: int
    reason: str


INSERT = BulkStatement(
    """
INSERT INTO retries (event_id, topic, partition, "offset", key, value, attempts, error, status, next_attempt_at)
SELECT event_id, topic, partition, "offset", key, value, attempts, error, status, now() + make_interval(secs => wait)
  FROM unnest(%(event_id)b::text[]::uuid[], %(topic)b::text[], %(partition)b::int[], %(offset)b::bigint[],
              %(key)b::bytea[], %(value)b::bytea[], %(attempts)b::int[], %(error)b::text[], %(status)b::text[],
              %(wait)b::float8[])
       AS failed (event_id, topic, partition, "offset", key, value, attempts, error, status, wait)
ON CONFLICT (event_id) DO UPDATE SET
    attempts = excluded.attempts, error = excluded.error, status = excluded.status,
    next_attempt_at = excluded.next_attempt_at, last_failed_at = now()
""",
    ("event_id", "topic", "partition", "offset", "key", "value", "attempts", "error", "status", "wait"),
)

DUE = """
SELECT event_id::text, topic, partition, "offset", key, value, attempts, error
  FROM retries JOIN unnest(%(topics)b::text[], %(partitions)b::int[]) AS owned (topic, partition)
 USING (topic, partition)
 WHERE status = 'retrying' AND next_attempt_at <= now()
 ORDER BY next_attempt_at LIMIT %(most)b FOR UPDATE OF retries SKIP LOCKED
"""

MARK_DISMISSALS_PUBLISHED = """
UPDATE retries SET dismissal_published = true
  FROM unnest(%(topics)b::text[], %(partitions)b::int[]) AS owned (topic, partition)
 WHERE retries.topic = owned.topic AND retries.partition = owned.partition
   AND status = 'dismissed' AND NOT dismissal_published
RETURNING event_id::text, retries.topic, retries.partition, "offset", greatest(attempts, 1), dismissed_because
"""

# Redriven events (no attempts yet) may succeed, and events that an operator retries for the last time (attempts above
# MAX_RETRIES) have one attempt left. Neither counts, so that neither stops consumption.
RETRYING = f"SELECT count(*) FROM retries WHERE status = 'retrying' AND attempts BETWEEN 1 AND {MAX_RETRIES}"  # noqa: S608
COUNTS = "SELECT status, count(*) FROM retries GROUP BY status"


def first_failure(delivery: Delivery, error: str) -> FailedEvent:
    """Return the FailedEvent of a record that has just failed for the first time."""
    position = (delivery.topic, delivery.partition, delivery.offset)
    return FailedEvent(delivery.event_id, *position, delivery.key, delivery.value, 1, error)


def counts(tx: Connection) -> dict[str, int]:
    """Return the number of rows in each of STATUSES, on all partitions: events that waited too long have none."""
    found = {row[0]: row[1] for row in tx.exec_driver_sql(COUNTS)}
    return {status: found.get(status, 0) for status in STATUSES}


@faults.on_return("worker.before_retry")
def due(tx: Connection, partitions: Collection[Partition], most: int) -> list[FailedEvent]:
    """Lock and return at most `most` events of these partitions that are due for a retry, the longest due first.

    The rows are locked until the transaction ends. Rows that another transaction has locked are skipped.
    """
    return [FailedEvent(*row) for row in tx.exec_driver_sql(DUE, {**columns_of(partitions), "most": most})]


def mark_dismissals_published(tx: Connection, partitions: Collection[Partition]) -> list[Dismissed]:
    """Mark the unpublished dismissals of these partitions as published; return them.

    The caller puts their outcomes into the outbox in the same transaction.
    """
    rows = tx.exec_driver_sql(MARK_DISMISSALS_PUBLISHED, columns_of(partitions))
    return [Dismissed(EventPosition(*position), attempts, reason) for *position, attempts, reason in rows]


def save(tx: Connection, events: Sequence[tuple[FailedEvent, Status]], first_wait_s: float) -> None:
    """Insert or update the rows of failed events, with their new statuses.

    The next retry is due after the wait that `retry_policy.wait_s` computes; a dead event is not retried.
    """
    INSERT.execute(tx, [_row(event, status, first_wait_s) for event, status in events])


def delete(tx: Connection, event_ids: Collection[str]) -> None:
    """Delete the rows of these events, which no longer fail. Ids without a row are ignored."""
    if event_ids:
        tx.exec_driver_sql(
            "DELETE FROM retries WHERE event_id = ANY (%(ids)b::text[]::uuid[])", {"ids": list(event_ids)}
        )


def _row(event: FailedEvent, status: Status, first_wait_s: float) -> dict[str, object]:
    wait = retry_policy.wait_s(event.event_id, event.attempts, first_wait_s)
    return {**asdict(event), "status": status, "wait": wait}
