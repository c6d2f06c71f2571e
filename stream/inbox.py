"""What this service has handled: the authority on what is new, what is a duplicate, and what contradicts."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from stream.events import OutcomeKind, Record


@dataclass(frozen=True, slots=True)
class Delivery:
    """A record as Kafka delivered it: what it says, its id, its digest (None for a domain event), where it stood."""

    event: Record
    event_id: str
    digest: bytes | None
    topic: str
    partition: int
    offset: int


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


def known(tx: Connection, deliveries: Sequence[Delivery]) -> dict[str, Handled]:
    """What was handled before of these deliveries, by event id."""
    rows = tx.exec_driver_sql(KNOWN, {"ids": [delivery.event_id for delivery in deliveries]})
    return {event_id: Handled(*rest) for event_id, *rest in rows}


def judge(delivery: Delivery, first: Handled) -> OutcomeKind:
    """What to say of a delivery whose event was handled before: the same again, or something else by the same id."""
    if (delivery.topic, delivery.partition, delivery.offset) == (first.topic, first.partition, first.offset):
        return first.outcome
    return "duplicate" if delivery.digest == first.digest else "conflict"


def insert(tx: Connection, handled: Sequence[tuple[Delivery, OutcomeKind]]) -> None:
    """Remember these, in the order of their ids, so that two workers can't lock each other out."""
    rows = sorted(handled, key=lambda row: row[0].event_id)
    columns = {
        "ids": [delivery.event_id for delivery, _ in rows],
        "digests": [delivery.digest for delivery, _ in rows],
        "topics": [delivery.topic for delivery, _ in rows],
        "partitions": [delivery.partition for delivery, _ in rows],
        "offsets": [delivery.offset for delivery, _ in rows],
        "outcomes": [outcome for _, outcome in rows],
    }
    tx.exec_driver_sql(INSERT, columns)
