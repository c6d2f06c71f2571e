"""What a replay would announce: collected instead of told, and held against what stands on the service's topics."""

from collections.abc import Collection, Iterable, Mapping

import confluent_kafka
from sqlalchemy import Connection

from stream.avro.codec import Codec
from stream.dead_letters import actions
from stream.events import DomainEvent, Outcome, topics
from stream.kafka import delivery
from stream.kafka.client_config import Cluster
from stream.kafka.delivery import Delivery
from stream.kafka.position import Partition
from stream.replay import offsets as ends
from stream.replay.fill import ledger
from stream.replay.fill.ledger import Owed
from stream.replay.fill.ordered_reader import Reading
from stream.replay.offsets import OffsetRange
from stream.replay.spec import ReplayImpossible, ReplaySpec
from stream.state.fold import Result
from stream.store.inbox import EventPosition
from stream.store.outbox import Message
from stream.worker import bisection
from stream.worker.bisection import BatchFailed, Runner
from stream.worker.messages import TOPIC_OF, encode_record

AT_ONCE = 5000


class CollectedPublications:
    """The teller of a replay: it tells nobody, and remembers the facts.

    An event has failed, as it has live, if it leads to a fact that cannot be written. So each is written, unless the
    batch is handled together: then only those that stand on no topic are (a fact that does could be written), and
    where that fails, the batch has failed and is handled in parts.
    """

    def __init__(self, codec: Codec, run: Runner = bisection.in_parts) -> None:
        self._codec = codec
        self._is_together = run is bisection.together
        self._collected: dict[str, tuple[DomainEvent, tuple[str, int, int], bytes, bytes | None]] = {}

    @property
    def fact_ids(self) -> Collection[str]:
        """The ids of all that was collected."""
        return self._collected.keys()

    def domain_events(self, delivery: Delivery, result: Result) -> list[Message]:
        if result.events:
            source, key = (delivery.topic, delivery.partition, delivery.offset), result.key.encode()
            for fact in result.events:
                value = None if self._is_together else encode_record(self._codec, fact, key)
                self._collected.setdefault(fact.event_id, (fact, source, key, value))
        return []

    def dead_letter(self, delivery: Delivery, error: str) -> list[Message]:
        return []

    def released(self, delivery: Delivery, events: Iterable[EventPosition]) -> list[Message]:
        return []

    def owed(self, told: Collection[str]) -> list[Owed]:
        """The collected facts that are not among those `told`.

        Raises BatchFailed when one of them cannot be written.
        """
        try:
            return [self._owed(fact_id) for fact_id in self._collected if fact_id not in told]
        except Exception as failure:
            raise BatchFailed(failure) from failure

    def _owed(self, fact_id: str) -> Owed:
        fact, source, key, value = self._collected[fact_id]
        kind = type(fact)
        return Owed(
            fact_id, *source, TOPIC_OF[kind], key, value or encode_record(self._codec, fact, key), kind.__name__
        )


def owed(tx: Connection, unspoken: CollectedPublications, subject: ReplaySpec) -> list[Owed]:
    """The collected facts that stand on no topic.

    Raises Impossible for one that goes to a topic on which nobody looked whether it stands there.
    """
    left = unspoken.owed(ledger.told(tx, unspoken.fact_ids))
    for one in left:
        if one.topic not in {topic.name for topic in subject.publishes}:
            raise ReplayImpossible(f"a {one.kind} goes to {one.topic}, which the service is not said to announce on")
    return left


def read_told(tx: Connection, cluster: Cluster, codec: Codec) -> None:
    """Note every fact that stands on the service's own topics, up to where they were last seen to end."""
    with Reading(cluster, _open(ledger.places(tx, "told"))) as reading:
        while messages := reading.take(AT_ONCE):
            ledger.hear(tx, {fact.event_id for message in messages for fact in _facts(codec, message)})
    ledger.move(tx, "told", {where: span.end for where, span in ledger.places(tx, "told").items()})
    ledger.settle_owed(tx)


def read_dismissed(tx: Connection, cluster: Cluster, codec: Codec, service: str) -> None:
    """Close again what people dismissed, by the outcomes behind the service's dead letters."""
    if not actions.has_abandoned(tx):
        return
    found: dict[str, tuple[str, int]] = {}
    with Reading(cluster, ends.spans(cluster, (topics.dead(service),))) as reading:
        while messages := reading.take(AT_ONCE):
            for told in (delivery.read(codec, message).event for message in messages):
                if isinstance(told, Outcome) and told.outcome == "dismissed":
                    found[told.event_id] = (told.error or "", told.at)
    actions.know_dismissed(tx, found)


def _facts(codec: Codec, message: confluent_kafka.Message) -> Iterable[DomainEvent]:
    """The fact that a record tells; bytes that are no record tell none."""
    record = delivery.read(codec, message).event
    return (record,) if isinstance(record, DomainEvent) else ()


def _open(places: Mapping[Partition, OffsetRange]) -> dict[Partition, OffsetRange]:
    return {where: span for where, span in places.items() if span.first < span.end}
