"""What a service has to tell of a delivery: the facts that follow, its dead letter, and what became of it."""

from collections.abc import Iterable

from runtime import clock
from stream import topics
from stream.codec import Codec
from stream.delivery import Delivery, Unreadable
from stream.events import DeadRecord, Outcome, OutcomeKind
from stream.fold import Result
from stream.outbox import Message

TOPIC_OF = {record: topic.name for topic in topics.ALL for record in topic.records}


class Messages:
    """Makes the messages of one service."""

    def __init__(self, service: str, codec: Codec) -> None:
        self._service = service
        self._codec = codec

    def facts(self, delivery: Delivery, result: Result) -> list[Message]:
        """The domain events, each on its topic under its aggregate's key."""
        source, key = (delivery.topic, delivery.partition), result.key.encode()
        return [Message(*source, TOPIC_OF[type(fact)], key, self._codec.encode(fact)) for fact in result.facts]

    def dead(self, delivery: Delivery, unreadable: Unreadable) -> Message:
        """The dead letter of a record nobody can decode."""
        letter = DeadRecord(
            event_id=delivery.event_id,
            service=self._service,
            topic=delivery.topic,
            partition=delivery.partition,
            offset=delivery.offset,
            key=unreadable.key,
            value=unreadable.value,
            error=unreadable.error,
            at=clock.now(),
        )
        topic = topics.dead(self._service).name
        return Message(delivery.topic, delivery.partition, topic, letter.event_id.encode(), self._codec.encode(letter))

    def woken(self, delivery: Delivery, events: Iterable[tuple[str, str, int, int]]) -> list[Message]:
        """The outcomes of events that waited for this delivery, each with where it stood."""
        return [self._outcome(delivery, *event, "processed", None) for event in events]

    def outcome(self, delivery: Delivery, kind: OutcomeKind) -> Message:
        """What became of a delivery, for whoever watches."""
        error = delivery.event.error if isinstance(delivery.event, Unreadable) else None
        stood = (delivery.topic, delivery.partition, delivery.offset)
        return self._outcome(delivery, delivery.event_id, *stood, kind, error)

    def _outcome(
        self,
        cause: Delivery,
        event_id: str,
        topic: str,
        partition: int,
        offset: int,
        kind: OutcomeKind,
        error: str | None,
    ) -> Message:
        told = Outcome(
            event_id=event_id,
            service=self._service,
            topic=topic,
            partition=partition,
            offset=offset,
            outcome=kind,
            attempt=1,
            error=error,
            at=clock.now(),
        )
        value = self._codec.encode(told)
        return Message(cause.topic, cause.partition, topics.OUTCOMES.name, event_id.encode(), value)
