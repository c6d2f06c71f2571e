"""Decodes records from Kafka. An undecodable record is a delivery too, with an UnreadableRecord as its event."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from confluent_kafka import Message

from stream import events
from stream.avro.codec import Codec, Undecodable
from stream.avro.registry import UnknownSchema
from stream.events import DomainEvent, EventId, Record, ids
from stream.events.json_text import error_text
from stream.kafka.position import Partition, partition_of

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """Stands for a record that cannot be decoded; `error` says why."""

    error: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A decoded record with its event id, position and bytes.

    `digest` is the digest of a webhook's content; None for other records.
    """

    event: Record | UnreadableRecord
    event_id: EventId
    digest: bytes | None
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


def read(codec: Codec, message: Message) -> Delivery:
    """Decode a message of confluent_kafka."""
    return delivery(codec, *partition_of(message), message.offset() or 0, message.key(), message.value())


def delivery(codec: Codec, topic: str, partition: int, offset: int, key: bytes | None, value: bytes | None) -> Delivery:
    """Decode a record's `value`. The id of an unreadable record is derived from its position."""
    record = (topic, partition, offset, key, value)
    try:
        event = codec.decode(value)
        event_id, digest = identity(event)
        _check(event_id)
    except (Undecodable, UnknownSchema, TypeError) as failure:
        event_id = ids.unreadable_record_id(topic, partition, offset)
        return Delivery(UnreadableRecord(error_text(str(failure))), event_id, None, *record)
    return Delivery(event, event_id, digest, *record)


def _check(event_id: str) -> None:
    if not _UUID.fullmatch(event_id):
        raise Undecodable("its id is not a UUID")


def identity(event: Record) -> tuple[EventId, bytes | None]:  # noqa: PLR0911 - one for each kind of record
    """Return a record's event id and digest; two events with the same id and different digests are a conflict.

    The digest is None for records other than webhooks. Raises TypeError for a record that no service consumes.
    """
    match event:
        case events.Webhook():
            return event.envelope.event_id, event.envelope.digest
        case DomainEvent() | events.QuarantinedWebhook():
            return event.event_id, None
        case events.Outcome():
            return ids.outcome_id(event), None
        case events.NotificationSent():
            return EventId(event.notification_id), None
        case events.DeadRecord():
            return ids.dead_letter_id(event), None
        case events.ConsoleAction():
            return ids.action_record_id(event), None
        case events.RejectedWebhook():
            return ids.refusal_id(event), None
        case _:
            raise TypeError(f"a {type(event).__name__} is not an event")


def partitions(deliveries: Collection[Delivery]) -> set[Partition]:
    """Return the partitions that these deliveries came from."""
    return {(delivery.topic, delivery.partition) for delivery in deliveries}


def ends(deliveries: Collection[Delivery]) -> dict[Partition, int]:
    """Return the offset after the last delivery of each partition."""
    ends: dict[Partition, int] = {}
    for delivery in deliveries:
        partition = (delivery.topic, delivery.partition)
        ends[partition] = max(ends.get(partition, 0), delivery.offset + 1)
    return ends
