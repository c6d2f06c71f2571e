"""The table of failed events (`retries`): their attempts, when each is retried, and the dead and dismissed ones."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from runtime import faults
from runtime.timing.backoff import Backoff
from stream.kafka.delivery import Delivery
from stream.kafka.position import Partition
from stream.store.statements import BulkStatement

MAX_RETRIES = 5
"""Retries after the first attempt; when the last of them fails, the event is dead (contract E)."""
FACTOR = 4
JITTER = 0.25

Status = Literal["retrying", "dead"]
"""The states of a failed event. An operator may dismiss a dead event, which is then `dismissed`.

An overdue waiting event has no row here, unless it was dismissed: its row then has no bytes and no attempts.
"""
STATUSES = ("retrying", "dead", "dismissed")


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
    """A dismissed event: its id and position, the number of attempts, and the operator's reason."""

    position: tuple[str, str, int, int]
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

DISMISSED = """
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
    """Return the row of a record that has just failed for the first time."""
    position = (delivery.topic, delivery.partition, delivery.offset)
    return FailedEvent(delivery.event_id, *position, delivery.key, delivery.value, 1, error)


def counts(tx: Connection) -> dict[str, int]:
    """Return the number of events in each of STATUSES, on all partitions."""
    found = {row[0]: row[1] for row in tx.exec_driver_sql(COUNTS)}
    return {status: found.get(status, 0) for status in STATUSES}


@faults.after("worker.before_retry")
def due(tx: Connection, partitions: Collection[Partition], most: int) -> list[FailedEvent]:
    """Lock and return at most `most` events of these partitions that are due for a retry, the longest due first.

    Rows that another transaction has locked are skipped.
    """
    columns = {"topics": [topic for topic, _ in partitions], "partitions": [number for _, number in partitions]}
    return [FailedEvent(*row) for row in tx.exec_driver_sql(DUE, {**columns, "most": most})]


def dismissed(tx: Connection, partitions: Collection[Partition]) -> list[Dismissed]:
    """Return the dismissed events of these partitions that are not published yet, and mark them as published."""
    columns = {"topics": [topic for topic, _ in partitions], "partitions": [number for _, number in partitions]}
    rows = tx.exec_driver_sql(DISMISSED, columns)
    return [Dismissed((row[0], row[1], row[2], row[3]), row[4], row[5]) for row in rows]


def next_attempt(attempts: int) -> int:
    """Return the number of the attempt after `attempts`; at most MAX_RETRIES + 1, the last.

    An event that an operator retries for the last time has more attempts than MAX_RETRIES.
    """
    return min(attempts, MAX_RETRIES) + 1


def save(tx: Connection, events: Sequence[tuple[FailedEvent, Status]], first_wait_s: float) -> None:
    """Insert or update failed events; the next attempt is due after `wait_s` seconds."""
    INSERT.execute(tx, [_row(event, status, first_wait_s) for event, status in events])


def delete(tx: Connection, event_ids: Collection[str]) -> None:
    """Delete the rows of events whose retry succeeded."""
    if event_ids:
        tx.exec_driver_sql(
            "DELETE FROM retries WHERE event_id = ANY (%(ids)b::text[]::uuid[])", {"ids": list(event_ids)}
        )


def wait_s(event_id: str, attempts: int, first_wait_s: float) -> float:
    """Return the seconds from failed attempt number `attempts` to the next: exponential back-off with jitter.

    The wait grows by FACTOR each time. The jitter adds up to JITTER of it and is derived from the event's id, so that
    events that failed together are not retried together.
    """
    fraction = int.from_bytes(sha256(f"{event_id} {attempts}".encode()).digest()[:4], "big") / 2**32
    return Backoff(first_wait_s, factor=FACTOR).wait_s(attempts) * (1 + JITTER * fraction)


def _row(event: FailedEvent, status: Status, first_wait_s: float) -> dict[str, object]:
    wait = wait_s(event.event_id, event.attempts, first_wait_s)
    return {**asdict(event), "status": status, "wait": wait}
