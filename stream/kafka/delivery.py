"""A record as Kafka delivered it, decoded; what nobody can decode is delivered too, as what it is."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from confluent_kafka import Message

from stream import events
from stream.avro.codec import Codec, Undecodable
from stream.avro.registry import UnknownSchema
from stream.events import DomainEvent, Record, ids
from stream.events.json_text import error_text
from stream.kafka.position import Partition

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """A record that is no event of ours, and why."""

    error: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a record says, its id, its digest (None for a domain event), where it stood, and its bytes."""

    event: Record | UnreadableRecord
    event_id: str
    digest: bytes | None
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


def read(codec: Codec, message: Message) -> Delivery:
    """The delivery of a message."""
    where = (message.topic() or "", message.partition() or 0, message.offset() or 0)
    return delivery(codec, *where, message.key(), message.value())


def delivery(codec: Codec, topic: str, partition: int, offset: int, key: bytes | None, value: bytes | None) -> Delivery:
    """The delivery of these bytes. An unreadable one is named by where it stands."""
    stood = (topic, partition, offset, key, value)
    try:
        event = codec.decode(value)
        event_id, digest = identity(event)
        _check(event_id)
    except (Undecodable, UnknownSchema, TypeError) as broken:
        unnamed = ids.unreadable_record_id(topic, partition, offset)
        return Delivery(UnreadableRecord(error_text(str(broken))), unnamed, None, *stood)
    return Delivery(event, event_id, digest, *stood)


def _check(event_id: str) -> None:
    if not _UUID.fullmatch(event_id):
        raise Undecodable("its id is no UUID")


def identity(event: Record) -> tuple[str, bytes | None]:
    """The id of an event, and the digest that two events of one id must share."""
    match event:
        case events.Webhook():
            return event.envelope.event_id, event.envelope.digest
        case DomainEvent() | events.QuarantinedWebhook():
            return event.event_id, None
        case events.Outcome():
            return ids.outcome_id(event), None
        case events.NotificationSent():
            return event.notification_id, None
        case events.DeadRecord():
            return ids.dead_letter_id(event), None
        case events.RejectedWebhook():
            return ids.rejection_id(event), None
        case _:
            raise TypeError(f"a {type(event).__name__} is no event")


def partitions(deliveries: Collection[Delivery]) -> set[Partition]:
    """The partitions these deliveries came from."""
    return {(delivery.topic, delivery.partition) for delivery in deliveries}


def ends(deliveries: Collection[Delivery]) -> dict[Partition, int]:
    """The offset after the last delivery of each partition."""
    after: dict[Partition, int] = {}
    for delivery in deliveries:
        partition = (delivery.topic, delivery.partition)
        after[partition] = max(after.get(partition, 0), delivery.offset + 1)
    return after
