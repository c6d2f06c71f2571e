"""Collects the domain events of a replay and compares them with those on the service's topics. Publishes none."""

from collections.abc import Collection, Iterable, Mapping

import confluent_kafka
from sqlalchemy import Connection

from stream.avro.codec import Codec
from stream.dead_letters import actions
from stream.events import (
    DomainEvent,
    OrderStatus,
    Outcome,
    PaymentUpdated,
    RefundUpdated,
    ShipmentUpdated,
    topics,
)
from stream.kafka import delivery
from stream.kafka.cluster import Cluster
from stream.kafka.delivery import Delivery
from stream.kafka.position import EventPosition, Partition
from stream.replay.fill import ledger, positions
from stream.replay.fill.ledger import OwedEvent
from stream.replay.fill.ordered_reader import OrderedReader
from stream.replay.offsets import OffsetRange, offset_ranges
from stream.replay.spec import ReplayImpossible, ReplaySpec
from stream.state.fold import Result
from stream.store.outbox import OutboxMessage
from stream.worker import bisection
from stream.worker.bisection import BatchFailed, Runner
from stream.worker.publishing.messages import encode_record, topics_of

SUPERSEDED = (OrderStatus, PaymentUpdated, RefundUpdated, ShipmentUpdated)
"""Events that only carry the state of an aggregate, and are never owed. Which of them there are depends on the order in
which two partitions are read, and the aggregate's next change publishes its state anyway.
"""
AT_ONCE = 5000
"""The most records to read at once."""


class CollectedPublications:
    """The MessageFactory of a replay: it makes no messages, and collects the domain events but those of SUPERSEDED.

    As in the live service, an event fails if one of its domain events cannot be encoded. If `run` is
    `bisection.in_parts`, each is therefore encoded at once. If it is `bisection.together`, only owed events are
    encoded, and only in `owed`: those on a topic have been encoded before.
    """

    def __init__(self, service: str, codec: Codec, run: Runner = bisection.in_parts) -> None:
        self._codec = codec
        self._topics = topics_of(service)
        self._is_together = run is bisection.together
        self._collected: dict[str, tuple[DomainEvent, tuple[str, int, int], bytes, bytes | None]] = {}

    @property
    def event_ids(self) -> Collection[str]:
        """The ids of the collected domain events."""
        return self._collected.keys()

    def domain_events(self, delivery: Delivery, result: Result) -> list[OutboxMessage]:
        if result.events:
            source, key = (delivery.topic, delivery.partition, delivery.offset), result.key.encode()
            for event in result.events:
                if isinstance(event, SUPERSEDED):
                    continue
                value = None if self._is_together else encode_record(self._codec, event, key)
                self._collected.setdefault(event.event_id, (event, source, key, value))
        return []

    def dead_letter(self, delivery: Delivery, error: str) -> list[OutboxMessage]:
        return []

    def released(self, delivery: Delivery, events: Iterable[EventPosition]) -> list[OutboxMessage]:
        return []

    def owed(self, published: Collection[str]) -> list[OwedEvent]:
        """Return the collected domain events that are not among the `published` ids, in the order of collection.

        Raises BatchFailed when one of them cannot be encoded: handle the batch with `bisection.in_parts`.
        """
        try:
            return [self._owed(event_id) for event_id in self._collected if event_id not in published]
        except Exception as failure:
            raise BatchFailed(failure) from failure

    def _owed(self, event_id: str) -> OwedEvent:
        event, source, key, value = self._collected[event_id]
        kind, value = type(event), value or encode_record(self._codec, event, key)
        return OwedEvent(event_id, *source, self._topics[kind], key, value, kind.__name__)


def owed(tx: Connection, collected: CollectedPublications, spec: ReplaySpec) -> list[OwedEvent]:
    """Return the collected domain events that are on no topic, as far as the ledger in `tx` has what is published.

    Raises BatchFailed when one of them cannot be encoded, and ReplayImpossible for an event whose topic is not in
    `ReplaySpec.publishes`, because that topic was not read.
    """
    owed_events = collected.owed(ledger.published(tx, collected.event_ids))
    read = {topic.name for topic in spec.publishes}
    for event in owed_events:
        if event.topic not in read:
            raise ReplayImpossible(
                f"a {event.kind} goes to {event.topic}, which is not among the topics that {spec.service} publishes "
                "to: add it in stream/events/topics.py"
            )
    return owed_events


def read_published(tx: Connection, cluster: Cluster, codec: Codec) -> None:
    """Read the unread offsets of the service's own topics, and store the ids of the domain events there.

    Events that were owed until now and are found there are owed no longer.
    """
    with OrderedReader(cluster, _not_empty(positions.unread(tx, "published"))) as reader:
        while messages := reader.next_batch(AT_ONCE):
            ids = {event.event_id for message in messages for event in _domain_events(codec, message)}
            ledger.add_published(tx, ids)
    positions.move(
        tx, "published", {partition: range_.end for partition, range_ in positions.unread(tx, "published").items()}
    )
    ledger.delete_published_owed(tx)


def read_dismissed(tx: Connection, cluster: Cluster, codec: Codec, service: str) -> None:
    """Dismiss the dead events of a replay that operators have dismissed, by outcomes on the topic of dead letters."""
    if not actions.has_dead(tx):
        return
    found: dict[str, tuple[str, int]] = {}
    with OrderedReader(cluster, offset_ranges(cluster, (topics.dead(service),))) as reader:
        while messages := reader.next_batch(AT_ONCE):
            for record in (delivery.read(codec, message).event for message in messages):
                if isinstance(record, Outcome) and record.outcome == "dismissed":
                    found[record.event_id] = (record.error or "", record.at)
    actions.restore_dismissals(tx, found)


def _domain_events(codec: Codec, message: confluent_kafka.Message) -> Iterable[DomainEvent]:
    """Return the domain event in a message; empty for other records, and for one that cannot be decoded."""
    record = delivery.read(codec, message).event
    return (record,) if isinstance(record, DomainEvent) else ()


def _not_empty(ranges: Mapping[Partition, OffsetRange]) -> dict[Partition, OffsetRange]:
    return {partition: range_ for partition, range_ in ranges.items() if range_.first < range_.end}
