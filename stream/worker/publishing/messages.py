"""Makes the messages that follow from a delivery: domain events, its dead letter, and its outcome. Publishes none."""

from collections.abc import Iterable
from typing import Protocol

from msgspec.structs import replace

from runtime import clock
from stream.avro.codec import Codec
from stream.events import DeadRecord, EventId, Micros, Outcome, OutcomeKind, Record, topics
from stream.kafka.delivery import Delivery
from stream.kafka.position import EventPosition, Partition
from stream.kafka.producer import LARGEST_MESSAGE
from stream.state.fold import Result
from stream.store.outbox import OutboxMessage
from stream.store.retrying import Dismissed
from stream.store.waiting import OVERDUE


def topics_of(service: str) -> dict[type[Record], str]:
    """Return the name of the topic to which a service publishes each record class.

    Where several topics carry a class, it is the service's own one.
    """
    known = {described.name: described.publishes for described in topics.SERVICES}
    published = (*topics.ALL, *known.get(service, ()))
    return {record: topic.name for topic in published for record in topic.records}


MAX_ENCLOSED_BYTES = 900_000
"""The most bytes of key and value, together, that a dead letter encloses: the letter itself must fit into Kafka."""

MAX_RECORD_BYTES = LARGEST_MESSAGE - 10_000
"""The most bytes of key and value, together, of a record to publish. Kafka never acknowledges a larger record."""


def encode_record(codec: Codec, record: Record, key: bytes) -> bytes:
    """Return the record as the bytes of a Kafka value.

    Raises ValueError when key and value together exceed MAX_RECORD_BYTES, or the schema does not allow a value.
    """
    value = codec.encode(record)
    if (size := len(key) + len(value)) > MAX_RECORD_BYTES:
        raise ValueError(f"a {type(record).__name__} of {size} bytes is too large to publish")
    return value


class MessageFactory(Protocol):
    """Makes the messages of a batch, for the outbox. That of a replay makes none, so that nothing is published."""

    def domain_events(self, delivery: Delivery, result: Result) -> list[OutboxMessage]: ...
    def dead_letter(self, delivery: Delivery, error: str) -> list[OutboxMessage]: ...
    def released(self, delivery: Delivery, events: Iterable[EventPosition]) -> list[OutboxMessage]: ...


class Messages:
    """The MessageFactory of a live service."""

    def __init__(self, service: str, codec: Codec) -> None:
        self._service = service
        self._codec = codec
        self._topics = topics_of(service)

    def domain_events(self, delivery: Delivery, result: Result) -> list[OutboxMessage]:
        """Return one message per domain event of `result`, on the event's topic under its aggregate's key.

        Raises ValueError for an event that is too large to publish or that its schema does not allow.
        """
        source, key = (delivery.topic, delivery.partition), result.key.encode()
        return [
            OutboxMessage(*source, self._topics[type(event)], key, encode_record(self._codec, event, key))
            for event in result.events
        ]

    def dead_letter(self, delivery: Delivery, error: str) -> list[OutboxMessage]:
        """Return the dead letter of a record; it omits key and value when they exceed MAX_ENCLOSED_BYTES."""
        fits = len(delivery.key or b"") + len(delivery.value or b"") <= MAX_ENCLOSED_BYTES
        letter = DeadRecord(
            event_id=delivery.event_id,
            service=self._service,
            topic=delivery.topic,
            partition=delivery.partition,
            offset=delivery.offset,
            key=delivery.key if fits else None,
            value=delivery.value if fits else None,
            error=error,
            at=Micros(clock.now()),
        )
        topic, key = topics.dead(self._service).name, letter.event_id.encode()
        return [OutboxMessage(delivery.topic, delivery.partition, topic, key, self._codec.encode(letter))]

    def released(self, delivery: Delivery, events: Iterable[EventPosition]) -> list[OutboxMessage]:
        """Return outcomes `processed` of the events at these positions, which waited for this delivery."""
        source = (delivery.topic, delivery.partition)
        return [self._outcome(source, event, "processed", 1, None) for event in events]

    def overdue(self, events: Iterable[EventPosition]) -> list[OutboxMessage]:
        """Return outcomes `dead` of the events at these positions, which have waited longer than WAIT_LIMIT_S."""
        return [self._outcome(event.topic_partition, event, "dead", 1, OVERDUE) for event in events]

    def dismissed(self, events: Iterable[Dismissed]) -> list[OutboxMessage]:
        """Return outcomes `dismissed` of these events, each for the topic of outcomes and for that of dead letters.

        A replay reads the dismissals from the dead-letter topic.
        """
        outcomes = [
            self._outcome(event.position.topic_partition, event.position, "dismissed", event.attempts, event.reason)
            for event in events
        ]
        dead = topics.dead(self._service).name
        return [*outcomes, *(replace(message, topic=dead) for message in outcomes)]

    def outcome(self, delivery: Delivery, kind: OutcomeKind, attempt: int, error: str | None) -> OutboxMessage:
        """Return the outcome of a delivery for its consumers, such as the console."""
        return self._outcome((delivery.topic, delivery.partition), delivery, kind, attempt, error)

    def _outcome(
        self, source: Partition, event: EventPosition | Delivery, kind: OutcomeKind, attempt: int, error: str | None
    ) -> OutboxMessage:
        outcome = Outcome(
            event_id=EventId(event.event_id),
            service=self._service,
            topic=event.topic,
            partition=event.partition,
            offset=event.offset,
            outcome=kind,
            attempt=attempt,
            error=error,
            at=Micros(clock.now()),
        )
        return OutboxMessage(*source, topics.OUTCOMES.name, event.event_id.encode(), self._codec.encode(outcome))
