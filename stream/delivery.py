"""A record as Kafka delivered it, decoded; what nobody can decode is delivered too, as what it is."""

from collections.abc import Collection
from dataclasses import dataclass

from confluent_kafka import Message

from stream import events, ids
from stream.codec import Codec, Undecodable
from stream.events import Fact, Record
from stream.ownership import Partition
from stream.registry import UnknownSchema


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that is no event of ours: its bytes, and why."""

    key: bytes | None
    value: bytes | None
    error: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a record says, its id, its digest (None for a domain event), and where it stood."""

    event: Record | Unreadable
    event_id: str
    digest: bytes | None
    topic: str
    partition: int
    offset: int


def read(codec: Codec, message: Message) -> Delivery:
    """The delivery of a message. An unreadable one is named by where it stands."""
    where = (message.topic() or "", message.partition() or 0, message.offset() or 0)
    try:
        event = codec.decode(message.value())
        event_id, digest = identity(event)
    except (Undecodable, UnknownSchema, TypeError) as broken:
        unreadable = Unreadable(message.key(), message.value(), str(broken))
        return Delivery(unreadable, ids.unreadable_record_id(*where), None, *where)
    return Delivery(event, event_id, digest, *where)


def identity(event: Record) -> tuple[str, bytes | None]:
    """The id of an event, and the digest that two events of one id must share."""
    if isinstance(event, events.Webhook):
        return event.envelope.event_id, event.envelope.digest
    if isinstance(event, Fact):
        return event.event_id, None
    if isinstance(event, events.DeadRecord):
        return ids.dead_id(event.service, event.event_id), None
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
