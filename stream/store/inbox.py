"""The inbox: one row per event that was handled or failed. It tells new events from duplicates and conflicts."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from stream.events import OutcomeKind
from stream.kafka.delivery import Delivery
from stream.store import statements
from stream.store.tables import inbox


@dataclass(frozen=True, slots=True)
class Handled:
    """A row of the inbox: the event's outcome, its digest, and the position of the record that delivered it first."""

    digest: bytes | None
    topic: str
    partition: int
    offset: int
    outcome: OutcomeKind


KNOWN = """
SELECT event_id::text, digest, topic, partition, "offset", outcome
  FROM inbox WHERE event_id = ANY (%(ids)b::text[]::uuid[])
"""

INSERT = statements.insert(inbox, without=["handled_at"])
SETTLE = statements.update(inbox, "outcome")
OUTCOME = "SELECT outcome FROM inbox WHERE event_id = %(id)b::text::uuid"

EventPosition = tuple[str, str, int, int]
"""An event's id, and its record's topic, partition and offset."""


def known(tx: Connection, deliveries: Sequence[Delivery]) -> dict[str, Handled]:
    """Return the inbox rows of those deliveries that were handled before, by event id."""
    rows = tx.exec_driver_sql(KNOWN, {"ids": [delivery.event_id for delivery in deliveries]})
    return {event_id: Handled(*rest) for event_id, *rest in rows}


def outcome(tx: Connection, event_id: str) -> OutcomeKind | None:
    """Return the outcome of an event; None when this service has never handled it."""
    found: OutcomeKind | None = tx.exec_driver_sql(OUTCOME, {"id": event_id}).scalar_one_or_none()
    return found


def judge(delivery: Delivery, first: Handled) -> OutcomeKind:
    """Return the outcome of a delivery whose event was handled before, with `first` as its inbox row.

    The same record has the outcome it had. Another record is a `duplicate` if its digest is the same, else a
    `conflict`.
    """
    if (delivery.topic, delivery.partition, delivery.offset) == (first.topic, first.partition, first.offset):
        return first.outcome
    return "duplicate" if delivery.digest == first.digest else "conflict"


def split_repeated(
    deliveries: Sequence[Delivery], known: dict[str, Handled]
) -> tuple[list[Delivery], list[tuple[Delivery, OutcomeKind]]]:
    """Return the deliveries of new events, and the other deliveries with their outcomes.

    `known` holds the inbox rows by event id. Of several deliveries of a new event the first is new.
    """
    fresh: list[Delivery] = []
    judged: list[tuple[Delivery, OutcomeKind]] = []
    first = dict(known)
    for delivery in deliveries:
        if delivery.event_id in first:
            judged.append((delivery, judge(delivery, first[delivery.event_id])))
        else:
            fresh.append(delivery)
            position = (delivery.topic, delivery.partition, delivery.offset)
            first[delivery.event_id] = Handled(delivery.digest, *position, "processed")
    return fresh, judged


def insert(tx: Connection, handled: Sequence[tuple[Delivery, OutcomeKind]]) -> None:
    """Insert handled deliveries and their outcomes, in the order of event ids so that workers do not deadlock."""
    in_order = sorted(handled, key=lambda row: row[0].event_id)
    columns: statements.ColumnValues = {
        "event_id": [delivery.event_id for delivery, _ in in_order],
        "digest": [delivery.digest for delivery, _ in in_order],
        "topic": [delivery.topic for delivery, _ in in_order],
        "partition": [delivery.partition for delivery, _ in in_order],
        "offset": [delivery.offset for delivery, _ in in_order],
        "outcome": [outcome for _, outcome in in_order],
    }
    INSERT.execute_columns(tx, columns)


def settle(tx: Connection, outcomes: Sequence[tuple[str, OutcomeKind]]) -> None:
    """Set the outcomes of retried events, given as pairs of event id and outcome."""
    SETTLE.execute(tx, [{"event_id": event_id, "outcome": outcome} for event_id, outcome in sorted(outcomes)])
