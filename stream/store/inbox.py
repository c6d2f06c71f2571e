"""What this service has handled: the authority on what is new, what is a duplicate, and what contradicts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from stream.events import OutcomeKind
from stream.kafka.delivery import Delivery
from stream.kafka.position import Partition
from stream.store.bulk_sql import write


@dataclass(frozen=True, slots=True)
class Handled:
    """One row: what became of an event, and the record that told it first."""

    digest: bytes | None
    topic: str
    partition: int
    offset: int
    outcome: OutcomeKind


KNOWN = """
SELECT event_id::text, digest, topic, partition, "offset", outcome
  FROM inbox WHERE event_id = ANY (%(ids)b::text[]::uuid[])
"""

INSERT = """
INSERT INTO inbox (event_id, digest, topic, partition, "offset", outcome)
SELECT * FROM unnest(%(ids)b::text[]::uuid[], %(digests)b::bytea[], %(topics)b::text[], %(partitions)b::int[],
                     %(offsets)b::bigint[], %(outcomes)b::text[])
"""

WAITING = "SELECT count(*) FROM inbox WHERE outcome = 'waiting'"

# One that was dismissed while it waited is as if it had not been.
WAKE = """
WITH woken AS (
    UPDATE inbox SET outcome = 'processed'
     WHERE event_id = ANY (%(ids)b::text[]::uuid[]) AND outcome IN ('waiting', 'abandoned')
    RETURNING event_id, topic, partition, "offset"),
reopened AS (DELETE FROM parked USING woken WHERE parked.event_id = woken.event_id AND status = 'dismissed')
SELECT event_id::text, topic, partition, "offset" FROM woken
"""

ABANDON = """
UPDATE inbox SET outcome = 'abandoned'
  FROM unnest(%(topics)b::text[], %(partitions)b::int[]) AS owned (topic, partition)
 WHERE inbox.topic = owned.topic AND inbox.partition = owned.partition
   AND outcome = 'waiting' AND handled_at < now() - make_interval(secs => %(seconds)b::float8)
RETURNING event_id::text, inbox.topic, inbox.partition, "offset"
"""

SETTLE = """
UPDATE inbox SET outcome = settled.outcome
  FROM unnest(%(ids)b::text[]::uuid[], %(outcomes)b::text[]) AS settled (event_id, outcome)
 WHERE inbox.event_id = settled.event_id
"""

OUTCOME = "SELECT outcome FROM inbox WHERE event_id = %(id)b::text::uuid"

OVERDUE = "nobody has told what this event waits for; it is handled when somebody does"

EventPosition = tuple[str, str, int, int]
"""An event's id, and where it stood: topic, partition, offset."""


def known(tx: Connection, deliveries: Sequence[Delivery]) -> dict[str, Handled]:
    """What was handled before of these deliveries, by event id."""
    rows = tx.exec_driver_sql(KNOWN, {"ids": [delivery.event_id for delivery in deliveries]})
    return {event_id: Handled(*rest) for event_id, *rest in rows}


def outcome(tx: Connection, event_id: str) -> OutcomeKind | None:
    """What became of an event; None when this service has never had it."""
    found: OutcomeKind | None = tx.exec_driver_sql(OUTCOME, {"id": event_id}).scalar_one_or_none()
    return found


def judge(delivery: Delivery, first: Handled) -> OutcomeKind:
    """What to say of a delivery whose event was handled before: the same again, or something else by the same id."""
    if (delivery.topic, delivery.partition, delivery.offset) == (first.topic, first.partition, first.offset):
        return first.outcome
    return "duplicate" if delivery.digest == first.digest else "conflict"


def split_repeated(
    deliveries: Sequence[Delivery], known: dict[str, Handled]
) -> tuple[list[Delivery], list[tuple[Delivery, OutcomeKind]]]:
    """The deliveries nobody handled before, and the verdicts on the others."""
    fresh: list[Delivery] = []
    judged: list[tuple[Delivery, OutcomeKind]] = []
    first = dict(known)
    for delivery in deliveries:
        if delivery.event_id in first:
            judged.append((delivery, judge(delivery, first[delivery.event_id])))
        else:
            fresh.append(delivery)
            where = (delivery.topic, delivery.partition, delivery.offset)
            first[delivery.event_id] = Handled(delivery.digest, *where, "processed")
    return fresh, judged


def insert(tx: Connection, handled: Sequence[tuple[Delivery, OutcomeKind]]) -> None:
    """Remember these, in the order of their ids, so that two workers can't lock each other out."""
    rows = [
        (delivery.event_id, delivery.digest, delivery.topic, delivery.partition, delivery.offset, outcome)
        for delivery, outcome in sorted(handled, key=lambda row: row[0].event_id)
    ]
    write(tx, INSERT, "ids digests topics partitions offsets outcomes", rows)


def release_waiting(tx: Connection, event_ids: Sequence[str]) -> list[EventPosition]:
    """Let waiting events be processed, also those reported as having waited too long."""
    if not event_ids:
        return []
    return [(row[0], row[1], row[2], row[3]) for row in tx.exec_driver_sql(WAKE, {"ids": list(event_ids)})]


def count_waiting(tx: Connection) -> int:
    """How many events wait for what nobody has told yet, on all partitions."""
    count: int = tx.exec_driver_sql(WAITING).scalar_one()
    return count


def abandon_overdue(tx: Connection, partitions: Collection[Partition], seconds: float) -> list[EventPosition]:
    """Report the events of these partitions that have waited longer than this; they can still be woken."""
    columns = {"topics": [topic for topic, _ in partitions], "partitions": [number for _, number in partitions]}
    rows = tx.exec_driver_sql(ABANDON, {**columns, "seconds": seconds})
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def settle(tx: Connection, outcomes: Sequence[tuple[str, OutcomeKind]]) -> None:
    """What became of events that had failed: id and outcome of each."""
    write(tx, SETTLE, "ids outcomes", sorted(outcomes))
