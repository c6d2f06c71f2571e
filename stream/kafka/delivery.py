"""Decodes records from Kafka. An undecodable record is a delivery too, with an UnreadableRecord as its event."""

import re
from collections.abc import Collection

import msgspec
from confluent_kafka import Message

from stream import events
from stream.avro.codec import Codec, Undecodable
from stream.avro.registry import UnknownSchema
from stream.events import DomainEvent, EventId, Record, ids
from stream.events.text.json_text import error_text
from stream.kafka.position import Partition, partition_of

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class UnreadableRecord(msgspec.Struct, frozen=True, gc=False):
    """Stands for a record that cannot be decoded; `error` says why."""

    error: str


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """A record of Kafka: decoded as `event`, with its event id, its position, and the bytes of its key and value.

    `digest` is the digest of a webhook's payload; None for other records.
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
    """Return the delivery of a message of confluent_kafka; see `delivery` for what cannot be decoded."""
    return delivery(codec, *partition_of(message), message.offset() or 0, message.key(), message.value())


def delivery(codec: Codec, topic: str, partition: int, offset: int, key: bytes | None, value: bytes | None) -> Delivery:
    """Return the delivery of the record at this position, decoded from `value`.

    Bytes that cannot be decoded, a record that is no event, and an event id that is no UUID give an UnreadableRecord,
    whose event id is derived from the position. Raises RegistryError when a remote schema registry fails.
    """
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

    The digest is None for records other than webhooks. Raises TypeError for a ProviderState or SecretSeen, which are no
    events.
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


def ends(deliveries: Collection[Delivery]) -> dict[Partition, int]:
    """Return the next offset of each partition that these deliveries came from: their highest offset plus 1."""
    ends: dict[Partition, int] = {}
    for delivery in deliveries:
        partition = (delivery.topic, delivery.partition)
        ends[partition] = max(ends.get(partition, 0), delivery.offset + 1)
    return ends
