"""Events that failed, each alone: what was tried, when it is tried again, and those that were given up."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from runtime import faults
from stream.kafka.delivery import Delivery
from stream.kafka.position import Partition
from stream.store.bulk_sql import write

MAX_RETRIES = 5
"""After the first try; the failing fifth abandons (contract E)."""
FACTOR = 4
JITTER = 0.25

Status = Literal["retrying", "abandoned"]
"""The states of a failing event; a person may close an abandoned one, which is then `dismissed`.

An event that only waited too long has no row here, unless it was dismissed: then one without bytes and attempts.
"""
STATUSES = ("retrying", "abandoned", "dismissed")


@dataclass(frozen=True, slots=True)
class Retrying:
    """A record that failed: its event's id, where it stood, its bytes, how often it was tried, and why it failed."""

    event_id: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    attempts: int
    error: str


class Dismissed(NamedTuple):
    """An event that a person dismissed: its id and position, how often it was tried, and that person's reason."""

    stood: tuple[str, str, int, int]
    attempts: int
    because: str


INSERT = """
INSERT INTO parked (event_id, topic, partition, "offset", key, value, attempts, error, status, next_attempt_at)
SELECT event_id, topic, partition, "offset", key, value, attempts, error, status, now() + make_interval(secs => wait)
  FROM unnest(%(ids)b::text[]::uuid[], %(topics)b::text[], %(partitions)b::int[], %(offsets)b::bigint[],
              %(keys)b::bytea[], %(values)b::bytea[], %(attempts)b::int[], %(errors)b::text[], %(statuses)b::text[],
              %(waits)b::float8[])
       AS failed (event_id, topic, partition, "offset", key, value, attempts, error, status, wait)
ON CONFLICT (event_id) DO UPDATE SET
    attempts = excluded.attempts, error = excluded.error, status = excluded.status,
    next_attempt_at = excluded.next_attempt_at, last_failed_at = now()
"""
COLUMNS = "ids topics partitions offsets keys values attempts errors statuses waits"

DUE = """
SELECT event_id::text, topic, partition, "offset", key, value, attempts, error
  FROM parked JOIN unnest(%(topics)b::text[], %(partitions)b::int[]) AS owned (topic, partition)
 USING (topic, partition)
 WHERE status = 'retrying' AND next_attempt_at <= now()
 ORDER BY next_attempt_at LIMIT %(most)b FOR UPDATE OF parked SKIP LOCKED
"""

DISMISSED = """
UPDATE parked SET dismissal_published = true
  FROM unnest(%(topics)b::text[], %(partitions)b::int[]) AS owned (topic, partition)
 WHERE parked.topic = owned.topic AND parked.partition = owned.partition
   AND status = 'dismissed' AND NOT dismissal_published
RETURNING event_id::text, parked.topic, parked.partition, "offset", greatest(attempts, 1), dismissed_because
"""

# Of what was redriven nobody knows yet whether it fails: to redrive many stops nothing; nor does what a person gave up.
FAILING = f"SELECT count(*) FROM parked WHERE status = 'retrying' AND attempts BETWEEN 1 AND {MAX_RETRIES}"  # noqa: S608
COUNTS = "SELECT status, count(*) FROM parked GROUP BY status"


def first_failure(delivery: Delivery, error: str) -> Retrying:
    """A record that has just failed for the first time."""
    stood = (delivery.topic, delivery.partition, delivery.offset)
    return Retrying(delivery.event_id, *stood, delivery.key, delivery.value, 1, error)


def counts(tx: Connection) -> dict[str, int]:
    """How many events there are of each status, on all partitions."""
    found = {row[0]: row[1] for row in tx.exec_driver_sql(COUNTS)}
    return {status: found.get(status, 0) for status in STATUSES}


@faults.after("worker.before_retry")
def due(tx: Connection, partitions: Collection[Partition], most: int) -> list[Retrying]:
    """What is to be tried again now, of these partitions."""
    columns = {"topics": [topic for topic, _ in partitions], "partitions": [number for _, number in partitions]}
    return [Retrying(*row) for row in tx.exec_driver_sql(DUE, {**columns, "most": most})]


def dismissed(tx: Connection, partitions: Collection[Partition]) -> list[Dismissed]:
    """Return the dismissed events of these partitions that have not been published yet, and note that they are."""
    columns = {"topics": [topic for topic, _ in partitions], "partitions": [number for _, number in partitions]}
    rows = tx.exec_driver_sql(DISMISSED, columns)
    return [Dismissed((row[0], row[1], row[2], row[3]), row[4], row[5]) for row in rows]


def next_attempt(attempts: int) -> int:
    """The number of the next try after so many; of one that a person gave up the last there is."""
    return min(attempts, MAX_RETRIES) + 1


def save(tx: Connection, events: Sequence[tuple[Retrying, Status]], first_wait_s: float) -> None:
    """Park events, or park them again, until their next attempt."""
    write(tx, INSERT, COLUMNS, [_row(event, status, first_wait_s) for event, status in events])


def delete(tx: Connection, event_ids: Collection[str]) -> None:
    """Forget events that did not fail any more."""
    if event_ids:
        tx.exec_driver_sql(
            "DELETE FROM parked WHERE event_id = ANY (%(ids)b::text[]::uuid[])", {"ids": list(event_ids)}
        )


def wait_s(event_id: str, attempts: int, first_wait_s: float) -> float:
    """Seconds from this failing attempt to the next: four times as long each time, up to a quarter more by chance.

    The chance is in the event's id, so that those who failed together do not all come again together.
    """
    chance = int.from_bytes(sha256(f"{event_id} {attempts}".encode()).digest()[:4], "big") / 2**32
    return float(first_wait_s * FACTOR ** (attempts - 1) * (1 + JITTER * chance))


def _row(event: Retrying, status: Status, first_wait_s: float) -> tuple[object, ...]:
    return (
        event.event_id,
        event.topic,
        event.partition,
        event.offset,
        event.key,
        event.value,
        event.attempts,
        event.error,
        status,
        wait_s(event.event_id, event.attempts, first_wait_s),
    )
