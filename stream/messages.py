"""What a service has to tell of a delivery: the facts that follow, its dead letter, and what became of it."""

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

    def outcome(self, delivery: Delivery, kind: OutcomeKind) -> Message:
        """What became of a delivery, for whoever watches."""
        told = Outcome(
            event_id=delivery.event_id,
            service=self._service,
            topic=delivery.topic,
            partition=delivery.partition,
            offset=delivery.offset,
            outcome=kind,
            attempt=1,
            error=delivery.event.error if isinstance(delivery.event, Unreadable) else None,
            at=clock.now(),
        )
        topic, key = topics.OUTCOMES.name, told.event_id.encode()
        return Message(delivery.topic, delivery.partition, topic, key, self._codec.encode(told))
