"""Events that failed, each alone: what was tried, when it is tried again, and those that were given up."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from sqlalchemy import Connection

from runtime import faults
from stream.arrays import write
from stream.delivery import Delivery
from stream.ownership import Partition

MAX_RETRIES = 5
"""After the first try; the failing fifth abandons (contract E)."""
FACTOR = 4
JITTER = 0.25

_LIKE = re.compile(r"[\\%_]")
"""What means something in a pattern of LIKE."""

Status = Literal["retrying", "abandoned"]


@dataclass(frozen=True, slots=True)
class Parked:
    """A record that failed: its event's id, where it stood, its bytes, how often it was tried, and why it failed."""

    event_id: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    attempts: int
    error: str


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

# Of what was redriven nobody knows yet whether it fails: to redrive many stops nothing; nor does what a person gave up.
FAILING = f"SELECT count(*) FROM parked WHERE status = 'retrying' AND attempts BETWEEN 1 AND {MAX_RETRIES}"  # noqa: S608
COUNTS = "SELECT status, count(*) FROM parked GROUP BY status"

# What a person asks for is given as arrays too: an empty one asks for nothing in particular.
MATCHES = """
 (%(ids)b::text[] = '{}' OR event_id::text = ANY (%(ids)b::text[]))
   AND (%(statuses)b::text[] = '{}' OR status = ANY (%(statuses)b::text[]))
   AND (%(orders)b::text[] = '{}'
        OR key = ANY (SELECT convert_to(name, 'UTF8') FROM unnest(%(orders)b::text[]) AS name))
   AND (%(causes)b::text[] = '{}'
        OR error ILIKE ALL (SELECT '%%' || cause || '%%' FROM unnest(%(causes)b::text[]) AS cause))
   AND (%(since)b::timestamptz IS NULL OR last_failed_at >= %(since)b::timestamptz)
   AND (%(until)b::timestamptz IS NULL OR last_failed_at < %(until)b::timestamptz)
"""

LIST = f"""
SELECT event_id::text, topic, partition, "offset", key, value, status, attempts, error,
       failed_at, last_failed_at, next_attempt_at
  FROM parked WHERE {MATCHES} ORDER BY last_failed_at DESC, event_id LIMIT %(most)b
"""  # noqa: S608 - the filter is ours, what it asks for are parameters

# Avro writes a text as its UTF-8: what names an order has its bytes somewhere.
NAMING = f"""
SELECT event_id::text, key, value FROM parked
 WHERE {MATCHES} AND EXISTS (
       SELECT FROM unnest(%(names)b::text[]) AS name
        WHERE key = convert_to(name, 'UTF8') OR position(convert_to(name, 'UTF8') IN value) > 0)
"""  # noqa: S608

COUNT = f"SELECT count(*) FROM parked WHERE status = %(status)b::text AND {MATCHES}"  # noqa: S608

REDRIVE = f"""
WITH chosen AS (
    SELECT event_id FROM parked WHERE status = 'abandoned' AND {MATCHES} ORDER BY event_id FOR UPDATE),
redriven AS (
    UPDATE parked SET status = 'retrying', attempts = 0, next_attempt_at = now()
      FROM chosen WHERE parked.event_id = chosen.event_id RETURNING parked.event_id)
UPDATE inbox SET outcome = 'retrying' FROM redriven WHERE inbox.event_id = redriven.event_id
"""  # noqa: S608

# Beyond the last try that is counted: the next one ends it, also while nothing is counted.
GIVE_UP = f"""
WITH chosen AS (
    SELECT event_id FROM parked WHERE status = 'retrying' AND {MATCHES} ORDER BY event_id FOR UPDATE)
UPDATE parked SET attempts = {MAX_RETRIES + 1}, next_attempt_at = now()
  FROM chosen WHERE parked.event_id = chosen.event_id
"""  # noqa: S608

HURRY = "UPDATE parked SET next_attempt_at = now() WHERE event_id = %(id)b::text::uuid AND status = 'retrying'"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which parked events are meant; what is left empty asks for nothing in particular."""

    ids: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


def first(delivery: Delivery, error: str) -> Parked:
    """A record that has just failed for the first time."""
    stood = (delivery.topic, delivery.partition, delivery.offset)
    return Parked(delivery.event_id, *stood, delivery.key, delivery.value, 1, error)


def look(tx: Connection, wanted: Wanted, most: int) -> list[dict[str, Any]]:
    """The parked events that are meant, those that failed last first."""
    rows = tx.exec_driver_sql(LIST, {**_asked(wanted), "most": most}).mappings()
    return [dict(row) for row in rows]


def naming(tx: Connection, wanted: Wanted) -> list[tuple[str, bytes | None, bytes | None]]:
    """Id, key and bytes of the events that are meant and may be of the orders wanted: a few more than are."""
    asked = {**_asked(replace(wanted, orders=())), "names": list(wanted.orders)}
    return [(row[0], row[1], row[2]) for row in tx.exec_driver_sql(NAMING, asked)]


def counts(tx: Connection) -> dict[Status, int]:
    """How many events there are of each status, on all partitions."""
    found = {row[0]: row[1] for row in tx.exec_driver_sql(COUNTS)}
    return {"retrying": found.get("retrying", 0), "abandoned": found.get("abandoned", 0)}


def count(tx: Connection, status: Status, wanted: Wanted) -> int:
    """How many of the events that are meant have this status."""
    found: int = tx.exec_driver_sql(COUNT, {**_asked(wanted), "status": status}).scalar_one()
    return found


def redrive(tx: Connection, wanted: Wanted) -> int:
    """Re-open those of the events that were given up, their attempts back at zero; how many these were."""
    return tx.exec_driver_sql(REDRIVE, _asked(wanted)).rowcount


def give_up(tx: Connection, wanted: Wanted) -> int:
    """Let the next try of those of the events that fail be their last, and at once; how many these were."""
    return tx.exec_driver_sql(GIVE_UP, _asked(wanted)).rowcount


def hurry(tx: Connection, event_id: str) -> bool:
    """Let a failed event be tried again at once; False when none with this id is waiting to be."""
    return tx.exec_driver_sql(HURRY, {"id": event_id}).rowcount > 0


@faults.after("worker.before_retry")
def due(tx: Connection, partitions: Collection[Partition], most: int) -> list[Parked]:
    """What is to be tried again now, of these partitions."""
    columns = {"topics": [topic for topic, _ in partitions], "partitions": [number for _, number in partitions]}
    return [Parked(*row) for row in tx.exec_driver_sql(DUE, {**columns, "most": most})]


def failing(tx: Connection) -> int:
    """How many events of this service fail at present, on all partitions."""
    count: int = tx.exec_driver_sql(FAILING).scalar_one()
    return count


def keep(tx: Connection, events: Sequence[tuple[Parked, Status]], first_wait_s: float) -> None:
    """Park events, or park them again, until their next attempt."""
    write(tx, INSERT, COLUMNS, [_row(event, status, first_wait_s) for event, status in events])


def release(tx: Connection, event_ids: Collection[str]) -> None:
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


def _asked(wanted: Wanted) -> dict[str, Any]:
    lists = {name: list(getattr(wanted, name)) for name in ("ids", "statuses", "orders")}
    causes = [_LIKE.sub(r"\\\g<0>", cause) for cause in wanted.causes]
    return {**lists, "causes": causes, "since": wanted.since, "until": wanted.until}


def _row(event: Parked, status: Status, first_wait_s: float) -> tuple[object, ...]:
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
