"""What a service has to tell of a delivery: the facts that follow, its dead letter, and what became of it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from runtime import clock
from stream.avro.codec import Codec
from stream.events import DeadRecord, Outcome, OutcomeKind, Record, topics
from stream.kafka.delivery import Delivery
from stream.kafka.position import Partition
from stream.kafka.producer import LARGEST_MESSAGE
from stream.state.fold import Result
from stream.store.inbox import OVERDUE, EventPosition
from stream.store.outbox import Message
from stream.store.retrying import Dismissed

TOPIC_OF = {record: topic.name for topic in topics.ALL for record in topic.records}

LARGEST_ENCLOSED = 900_000
"""Bytes of a record in its dead letter, which must fit into Kafka itself."""


LARGEST_TOLD = LARGEST_MESSAGE - 10_000
"""Bytes of a record and its key. A larger one is never acknowledged: what it follows from has failed."""


def written(codec: Codec, record: Record, key: bytes) -> bytes:
    """The record as its topic carries it.

    Raises ValueError for one that Kafka would not take.
    """
    value = codec.encode(record)
    if (size := len(key) + len(value)) > LARGEST_TOLD:
        raise ValueError(f"a {type(record).__name__} of {size} bytes is too large to be told")
    return value


class Teller(Protocol):
    """Who makes a batch's messages; what it does not return is told by nobody."""

    def facts(self, delivery: Delivery, result: Result) -> list[Message]: ...
    def dead(self, delivery: Delivery, error: str) -> list[Message]: ...
    def woken(self, delivery: Delivery, events: Iterable[EventPosition]) -> list[Message]: ...


class Messages:
    """Makes the messages of one service."""

    def __init__(self, service: str, codec: Codec) -> None:
        self._service = service
        self._codec = codec

    def facts(self, delivery: Delivery, result: Result) -> list[Message]:
        """The domain events, each on its topic under its aggregate's key."""
        source, key = (delivery.topic, delivery.partition), result.key.encode()
        return [Message(*source, TOPIC_OF[type(fact)], key, written(self._codec, fact, key)) for fact in result.facts]

    def dead(self, delivery: Delivery, error: str) -> list[Message]:
        """The dead letter of a record that is given up. The bytes of one too large for a letter stay where it stood."""
        fits = len(delivery.key or b"") + len(delivery.value or b"") <= LARGEST_ENCLOSED
        letter = DeadRecord(
            event_id=delivery.event_id,
            service=self._service,
            topic=delivery.topic,
            partition=delivery.partition,
            offset=delivery.offset,
            key=delivery.key if fits else None,
            value=delivery.value if fits else None,
            error=error,
            at=clock.now(),
        )
        topic, key = topics.dead(self._service).name, letter.event_id.encode()
        return [Message(delivery.topic, delivery.partition, topic, key, self._codec.encode(letter))]

    def woken(self, delivery: Delivery, events: Iterable[EventPosition]) -> list[Message]:
        """The outcomes of events that waited for this delivery."""
        return [self._outcome((delivery.topic, delivery.partition), event, "processed", 1, None) for event in events]

    def overdue(self, events: Iterable[EventPosition]) -> list[Message]:
        """The outcomes of events that have waited too long."""
        return [self._outcome((event[1], event[2]), event, "abandoned", 1, OVERDUE) for event in events]

    def dismissed(self, events: Iterable[Dismissed]) -> list[Message]:
        """The outcomes of events that a person dismissed, also behind their dead letters, where a replay reads them."""
        told = [
            self._outcome((one.stood[1], one.stood[2]), one.stood, "dismissed", one.attempts, one.because)
            for one in events
        ]
        dead = topics.dead(self._service).name
        return [*told, *(replace(one, topic=dead) for one in told)]

    def outcome(self, delivery: Delivery, kind: OutcomeKind, attempt: int, error: str | None) -> Message:
        """What became of a delivery, for whoever watches."""
        stood = (delivery.event_id, delivery.topic, delivery.partition, delivery.offset)
        return self._outcome((delivery.topic, delivery.partition), stood, kind, attempt, error)

    def _outcome(
        self, source: Partition, event: EventPosition, kind: OutcomeKind, attempt: int, error: str | None
    ) -> Message:
        event_id, topic, partition, offset = event
        told = Outcome(
            event_id=event_id,
            service=self._service,
            topic=topic,
            partition=partition,
            offset=offset,
            outcome=kind,
            attempt=attempt,
            error=error,
            at=clock.now(),
        )
        return Message(*source, topics.OUTCOMES.name, event_id.encode(), self._codec.encode(told))
