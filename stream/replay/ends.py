"""Where partitions begin and end, now or at a time, and how far a live service got."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient
from sqlalchemy import Connection

from stream.ownership import Partition
from stream.producer import CLIENT
from stream.topics import PARTITIONS, Topic

TIMEOUT_S = 15.0

APPLIED = 'SELECT topic, partition, max("offset") + 1 FROM inbox GROUP BY topic, partition'


@dataclass(frozen=True, slots=True)
class Span:
    """The offsets from `first` up to and without `end`."""

    first: int
    end: int


def spans(bootstrap_servers: str, topics: Iterable[Topic], to_ms: int | None = None) -> dict[Partition, Span]:
    """What stands on these topics now; with a time (milliseconds), what was appended up to and in that millisecond."""
    consumer = Consumer({**CLIENT, "bootstrap.servers": bootstrap_servers, "group.id": "replay"})
    try:
        wanted = [(topic.name, number) for topic in topics for number in range(PARTITIONS)]
        found = {
            where: Span(*consumer.get_watermark_offsets(TopicPartition(*where), timeout=TIMEOUT_S)) for where in wanted
        }
        return found if to_ms is None else _until(consumer, found, to_ms)
    finally:
        consumer.close()


def committed(bootstrap_servers: str, group: str) -> dict[Partition, int]:
    """The next offsets that a consumer group has committed."""
    admin = AdminClient({**CLIENT, "bootstrap.servers": bootstrap_servers})
    (answer,) = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
    found = answer.result(TIMEOUT_S).topic_partitions
    return {(each.topic, each.partition): each.offset for each in found if each.offset >= 0}


def applied(tx: Connection) -> dict[Partition, int]:
    """The offsets after the last new event that a store has handled; what follows it there was known before."""
    return {(topic, number): after for topic, number, after in tx.exec_driver_sql(APPLIED)}


def furthest(*positions: Mapping[Partition, int]) -> dict[Partition, int]:
    """Of each partition the furthest of these positions."""
    together: dict[Partition, int] = {}
    for one in positions:
        for where, offset in one.items():
            together[where] = max(offset, together.get(where, 0))
    return together


def _until(consumer: Consumer, found: Mapping[Partition, Span], to_ms: int) -> dict[Partition, Span]:
    asked = [TopicPartition(*where, to_ms + 1) for where in found]
    after = {(each.topic, each.partition): each.offset for each in consumer.offsets_for_times(asked, TIMEOUT_S)}
    return {
        where: Span(span.first, min(span.end, after[where]) if after[where] >= 0 else span.end)
        for where, span in found.items()
    }
