"""Where partitions begin and end, now or at a time, and how far a live service got."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined] # not said to be exported
from sqlalchemy import Connection

from stream.events.topics import PARTITIONS, Topic
from stream.kafka.client_config import Cluster
from stream.kafka.position import Partition

TIMEOUT_S = 15.0

APPLIED = 'SELECT topic, partition, max("offset") + 1 FROM inbox GROUP BY topic, partition'
OWNED = "SELECT topic, partition, next_offset FROM ownership WHERE next_offset IS NOT NULL"


@dataclass(frozen=True, slots=True)
class OffsetRange:
    """The offsets from `first` up to and without `end`."""

    first: int
    end: int


def spans(cluster: Cluster, topics: Iterable[Topic], to_ms: int | None = None) -> dict[Partition, OffsetRange]:
    """What stands on these topics now; with a time (milliseconds), what was appended up to and in that millisecond."""
    wanted = [TopicPartition(topic.name, number) for topic in topics for number in range(PARTITIONS)]
    if not wanted:  # to ask for nothing is an error to the client
        return {}
    admin = cluster.admin()
    first = _offsets(admin, wanted, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
    end = _offsets(admin, wanted, OffsetSpec.latest())  # type: ignore[no-untyped-call]
    found = {where: OffsetRange(first[where], end[where]) for where in end}
    if to_ms is None:
        return found
    after = _offsets(admin, wanted, OffsetSpec.for_timestamp(to_ms + 1))  # -1: nothing is as young as that
    return {
        where: OffsetRange(one.first, after[where] if after[where] >= 0 else one.end) for where, one in found.items()
    }


def committed(cluster: Cluster, group: str) -> dict[Partition, int]:
    """The next offsets that the group of a service has committed."""
    admin = cluster.admin()
    (answer,) = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(cluster.group(group))]).values()
    found = answer.result(TIMEOUT_S).topic_partitions
    return {(each.topic, each.partition): each.offset for each in found if each.offset >= 0}


def been_through(found: Mapping[Partition, int], topics: Iterable[Topic]) -> dict[Partition, int]:
    """How far a group was on each partition of these topics, by what it has committed.

    Where it has committed nothing it was nowhere, unless it has committed nothing at all: then Kafka has forgotten it,
    and nobody knows.
    """
    own = {(topic.name, number): 0 for topic in topics for number in range(PARTITIONS)}
    said = {where: offset for where, offset in found.items() if where in own}
    return own | said if said else {}


def applied(tx: Connection) -> dict[Partition, int]:
    """The offsets after the last new event that a store has handled; what follows it there was known before."""
    return {(topic, number): after for topic, number, after in tx.exec_driver_sql(APPLIED)}


def owned(tx: Connection) -> dict[Partition, int]:
    """The offsets at which a live store itself says that it goes on."""
    return {(topic, number): after for topic, number, after in tx.exec_driver_sql(OWNED)}


def furthest(*positions: Mapping[Partition, int]) -> dict[Partition, int]:
    """Of each partition the furthest of these positions."""
    together: dict[Partition, int] = {}
    for one in positions:
        for where, offset in one.items():
            together[where] = max(offset, together.get(where, 0))
    return together


def _offsets(admin: AdminClient, wanted: Sequence[TopicPartition], spec: OffsetSpec) -> dict[Partition, int]:
    answers = admin.list_offsets(dict.fromkeys(wanted, spec), request_timeout=TIMEOUT_S)
    return {(each.topic, each.partition): answer.result(TIMEOUT_S).offset for each, answer in answers.items()}
