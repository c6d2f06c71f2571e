"""What a replay would announce: collected instead of told, and held against what stands on the service's topics."""

from collections.abc import Iterable, Mapping

import confluent_kafka
from sqlalchemy import Connection

from stream import dead, delivery, topics
from stream.client_config import Cluster
from stream.codec import Codec
from stream.delivery import Delivery
from stream.events import Fact, Outcome
from stream.fold import Result
from stream.inbox import Stood
from stream.messages import TOPIC_OF, written
from stream.outbox import Message
from stream.ownership import Partition
from stream.replay import ends, ledger
from stream.replay.ends import Span
from stream.replay.ledger import Owed
from stream.replay.reading import Reading
from stream.replay.subject import Impossible, Subject

AT_ONCE = 5000


class Unspoken:
    """The teller of a replay: it tells nobody, and remembers the facts.

    They are written all the same: an event that leads to one that cannot be written has failed, as it has live.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self.collected: dict[str, Owed] = {}

    def facts(self, delivery: Delivery, result: Result) -> list[Message]:
        source, key = (delivery.topic, delivery.partition, delivery.offset), result.key.encode()
        for fact in result.facts:
            kind = type(fact)
            owed = Owed(fact.event_id, *source, TOPIC_OF[kind], key, written(self._codec, fact, key), kind.__name__)
            self.collected.setdefault(fact.event_id, owed)
        return []

    def dead(self, delivery: Delivery, error: str) -> list[Message]:
        return []

    def woken(self, delivery: Delivery, events: Iterable[Stood]) -> list[Message]:
        return []


def owed(tx: Connection, unspoken: Unspoken, subject: Subject) -> list[Owed]:
    """The collected facts that stand on no topic.

    Raises Impossible for one that goes to a topic on which nobody looked whether it stands there.
    """
    told = ledger.told(tx, unspoken.collected)
    left = [one for fact_id, one in unspoken.collected.items() if fact_id not in told]
    for one in left:
        if one.topic not in {topic.name for topic in subject.announces}:
            raise Impossible(f"a {one.kind} goes to {one.topic}, which the service is not said to announce on")
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
    if not dead.has_abandoned(tx):
        return
    found: dict[str, tuple[str, int]] = {}
    with Reading(cluster, ends.spans(cluster, (topics.dead(service),))) as reading:
        while messages := reading.take(AT_ONCE):
            for told in (delivery.read(codec, message).event for message in messages):
                if isinstance(told, Outcome) and told.outcome == "dismissed":
                    found[told.event_id] = (told.error or "", told.at)
    dead.know_dismissed(tx, found)


def _facts(codec: Codec, message: confluent_kafka.Message) -> Iterable[Fact]:
    """The fact that a record tells; bytes that are no record tell none."""
    record = delivery.read(codec, message).event
    return (record,) if isinstance(record, Fact) else ()


def _open(places: Mapping[Partition, Span]) -> dict[Partition, Span]:
    return {where: span for where, span in places.items() if span.first < span.end}
