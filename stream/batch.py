"""One batch in one transaction: what is new is handled, what was handled is not handled again.

Whether it commits or not, inbox, state and outbox agree; so a batch that is delivered again changes nothing.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from runtime import clock
from stream import events, inbox, outbox, topics
from stream.codec import Codec
from stream.events import DeadRecord, Fact, Outcome, OutcomeKind, Record
from stream.fold import Result
from stream.inbox import Delivery, Handled
from stream.outbox import Message

Handler = Callable[[Connection, Sequence[Any]], Sequence[Result]]
"""Changes a service's store by new events, in their order, inside the batch's transaction; one result an event."""

TOPIC_OF = {record: topic.name for topic in topics.ALL for record in topic.records}


class Unreadable(Record, frozen=True, kw_only=True):
    """A record that cannot be decoded: it goes to the dead letters as it is."""

    key: bytes | None
    value: bytes | None
    error: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What a committed batch leaves to be told: outbox rows (with their messages) and outcomes."""

    rows: list[int]
    messages: list[Message]
    outcomes: list[tuple[Delivery, OutcomeKind]]
    results: dict[str, Result] = field(default_factory=dict)


def identity(event: Record) -> tuple[str, bytes | None]:
    """The id of an event and the digest that two events of one id must share."""
    if isinstance(event, events.Webhook):
        return event.envelope.event_id, event.envelope.digest
    if isinstance(event, Fact):
        return event.event_id, None
    raise TypeError(f"a {type(event).__name__} is no event")


class Batch:
    """How a service applies its batches."""

    def __init__(self, service: str, codec: Codec, handler: Handler) -> None:
        self._service = service
        self._codec = codec
        self._handler = handler

    def apply(self, tx: Connection, deliveries: Sequence[Delivery]) -> Applied:
        """Handle what is new, remember all of it, and keep what follows from it in the outbox."""
        fresh, outcomes = sort_out(deliveries, inbox.known(tx, deliveries))
        readable = [delivery for delivery in fresh if not isinstance(delivery.event, Unreadable)]
        results = self._handler(tx, [delivery.event for delivery in readable]) if readable else []
        by_id = {delivery.event_id: result for delivery, result in zip(readable, results, strict=True)}
        handled = [(delivery, _outcome(by_id.get(delivery.event_id))) for delivery in fresh]
        if handled:
            inbox.insert(tx, handled)
        messages = [message for delivery in fresh for message in self._messages(delivery, by_id)]
        return Applied(outbox.insert(tx, messages), messages, [*handled, *outcomes], by_id)

    def _messages(self, delivery: Delivery, results: dict[str, Result]) -> list[Message]:
        source = (delivery.topic, delivery.partition)
        if isinstance(delivery.event, Unreadable):
            dead = self._codec.encode(_dead(self._service, delivery, delivery.event))
            return [Message(*source, topics.dead(self._service).name, delivery.event_id.encode(), dead)]
        result = results[delivery.event_id]
        key = result.key.encode()
        return [Message(*source, TOPIC_OF[type(fact)], key, self._codec.encode(fact)) for fact in result.facts]

    def outcome_message(self, delivery: Delivery, outcome: OutcomeKind) -> Message:
        """The record that tells the console what this service made of a delivery."""
        told = Outcome(
            event_id=delivery.event_id,
            service=self._service,
            topic=delivery.topic,
            partition=delivery.partition,
            offset=delivery.offset,
            outcome=outcome,
            attempt=1,
            error=delivery.event.error if isinstance(delivery.event, Unreadable) else None,
            at=clock.now(),
        )
        source = (delivery.topic, delivery.partition)
        return Message(*source, topics.OUTCOMES.name, delivery.event_id.encode(), self._codec.encode(told))


def sort_out(
    deliveries: Sequence[Delivery], known: dict[str, Handled]
) -> tuple[list[Delivery], list[tuple[Delivery, OutcomeKind]]]:
    """The deliveries nobody handled before, and the verdicts on the others."""
    fresh: list[Delivery] = []
    judged: list[tuple[Delivery, OutcomeKind]] = []
    first = dict(known)
    for delivery in deliveries:
        if delivery.event_id in first:
            judged.append((delivery, inbox.judge(delivery, first[delivery.event_id])))
        else:
            fresh.append(delivery)
            first[delivery.event_id] = Handled(
                delivery.digest, delivery.topic, delivery.partition, delivery.offset, "processed"
            )
    return fresh, judged


def partitions(deliveries: Collection[Delivery]) -> set[tuple[str, int]]:
    """The partitions these deliveries came from."""
    return {(delivery.topic, delivery.partition) for delivery in deliveries}


def _outcome(result: Result | None) -> OutcomeKind:
    return result.outcome if result else "abandoned"


def _dead(service: str, delivery: Delivery, unreadable: Unreadable) -> DeadRecord:
    return DeadRecord(
        event_id=delivery.event_id,
        service=service,
        topic=delivery.topic,
        partition=delivery.partition,
        offset=delivery.offset,
        key=unreadable.key,
        value=unreadable.value,
        error=unreadable.error,
        at=clock.now(),
    )
