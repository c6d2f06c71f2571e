"""The inbox: one row per event that was handled or failed. It tells new events from duplicates and conflicts."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from stream.events import OutcomeKind
from stream.kafka.delivery import Delivery
from stream.store import statements
from stream.store.tables import inbox


class InboxRow(msgspec.Struct, frozen=True, gc=False):
    """A row of the inbox: the event's outcome and digest, and the position of the record that brought it first."""

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
SET_OUTCOMES = statements.update(inbox, "outcome")
OUTCOME = "SELECT outcome FROM inbox WHERE event_id = %(id)b::text::uuid"


class DeliveryOutcome(msgspec.Struct, frozen=True, gc=False):
    """The outcome of a delivery: its `kind`, the number of the attempt (from 1), and the error of a failed attempt."""

    delivery: Delivery
    kind: OutcomeKind
    attempt: int = 1
    error: str | None = None


def known(tx: Connection, deliveries: Sequence[Delivery]) -> dict[str, InboxRow]:
    """Return the inbox rows of the events of these deliveries, by event id; events without a row are left out."""
    rows = statements.execute(tx, KNOWN, {"ids": [delivery.event_id for delivery in deliveries]})
    return {event_id: InboxRow(*rest) for event_id, *rest in rows}


def outcome(tx: Connection, event_id: str) -> OutcomeKind | None:
    """Return the outcome of an event; None when the event has no inbox row, as it never reached this service."""
    found: OutcomeKind | None = tx.exec_driver_sql(OUTCOME, {"id": event_id}).scalar_one_or_none()
    return found


def repeated_outcome(delivery: Delivery, first: InboxRow) -> OutcomeKind:
    """Return the outcome of a delivery whose event has the inbox row `first` already.

    The record of that row has the row's outcome again. Another record is a `duplicate` if its digest is the same, else
    a `conflict`.
    """
    if (delivery.topic, delivery.partition, delivery.offset) == (first.topic, first.partition, first.offset):
        return first.outcome
    return "duplicate" if delivery.digest == first.digest else "conflict"


def split_repeated(
    deliveries: Sequence[Delivery], known: dict[str, InboxRow]
) -> tuple[list[Delivery], list[DeliveryOutcome]]:
    """Return the deliveries of new events, and the other deliveries with their outcomes by `repeated_outcome`.

    `known` holds the inbox rows by event id. Of several deliveries of a new event only the first is new.
    """
    fresh: list[Delivery] = []
    repeated: list[DeliveryOutcome] = []
    first = dict(known)
    for delivery in deliveries:
        if delivery.event_id in first:
            repeated.append(DeliveryOutcome(delivery, repeated_outcome(delivery, first[delivery.event_id])))
        else:
            fresh.append(delivery)
            position = (delivery.topic, delivery.partition, delivery.offset)
            # `processed` is a placeholder: it is read only for the same record, which a batch contains once.
            first[delivery.event_id] = InboxRow(delivery.digest, *position, "processed")
    return fresh, repeated


def insert(tx: Connection, outcomes: Sequence[DeliveryOutcome]) -> None:
    """Insert a row for each delivery, in the order of event ids so that workers do not deadlock.

    No event may have a row yet. Of two workers that insert the same event at once, the later gets an IntegrityError,
    which counts as a failure of the store: its batch is tried again, and the event is then a repeated one.
    """
    in_order = sorted(outcomes, key=lambda outcome: outcome.delivery.event_id)
    deliveries = [outcome.delivery for outcome in in_order]
    columns: statements.ColumnValues = {
        "event_id": [delivery.event_id for delivery in deliveries],
        "digest": [delivery.digest for delivery in deliveries],
        "topic": [delivery.topic for delivery in deliveries],
        "partition": [delivery.partition for delivery in deliveries],
        "offset": [delivery.offset for delivery in deliveries],
        "outcome": [outcome.kind for outcome in in_order],
    }
    INSERT.execute_columns(tx, columns)


def set_outcomes(tx: Connection, outcomes: Sequence[tuple[str, OutcomeKind]]) -> None:
    """Set the outcomes in the rows of retried events, given as pairs of event id and outcome."""
    SET_OUTCOMES.execute(tx, [{"event_id": event_id, "outcome": outcome} for event_id, outcome in sorted(outcomes)])
