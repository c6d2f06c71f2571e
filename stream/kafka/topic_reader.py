"""Topics, looked into without a consumer group: nobody's place in them moves."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from stream.events.topics import PARTITIONS, Topic
from stream.kafka.client_config import Cluster
from stream.kafka.producer import CLIENT

READER: dict[str, Any] = {
    **CLIENT,
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
}
GROUP = "hookstream-reading"
"""The client needs a group; nothing is committed in it."""
SILENCE_S = 10.0
POLL_S = 0.5
AT_ONCE = 500
NOTHING_THERE = (KafkaError._PARTITION_EOF, KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)  # noqa: SLF001


class KafkaUnavailable(Exception):
    """Kafka does not answer."""


class Position(NamedTuple):
    """Where a record stands."""

    topic: str
    partition: int
    offset: int


def read_at(cluster: Cluster, places: Sequence[Position]) -> Iterator[tuple[Position, bytes | None]]:
    """The bytes at each of these places; None where nothing stands, or no more.

    Raises Away.
    """
    consumer = cluster.consumer(GROUP, READER)
    try:
        for place in places:
            consumer.assign([TopicPartition(*place)])
            yield place, _next(consumer, place)
    finally:
        consumer.close()


def read_all(cluster: Cluster, topics: Sequence[Topic], since_ms: int | None = None) -> Iterator[Message]:
    """All records of these topics, those of a partition in their order; from a time (milliseconds since 1970) on.

    Raises Away.
    """
    consumer = cluster.consumer(GROUP, {**READER, "auto.offset.reset": "earliest"})
    try:
        begins = _begins(consumer, topics, since_ms)
        consumer.assign(begins)
        yield from _until_the_ends(consumer, len(begins))
    except KafkaException as failure:
        raise KafkaUnavailable(
            f"Kafka at {cluster.bootstrap_servers} does not answer: {failure.args[0].str()}"
        ) from failure
    finally:
        consumer.close()


def _begins(consumer: Consumer, topics: Sequence[Topic], since_ms: int | None) -> list[TopicPartition]:
    from_there = [TopicPartition(topic.name, n, since_ms or 0) for topic in topics for n in range(PARTITIONS)]
    if since_ms is None:
        return from_there
    return consumer.offsets_for_times(from_there, SILENCE_S)


def _until_the_ends(consumer: Consumer, partitions: int) -> Iterator[Message]:
    ended, heard_at = set[tuple[str | None, int | None]](), time.monotonic()
    while len(ended) < partitions:
        first = consumer.poll(POLL_S)
        for message in [first, *consumer.consume(AT_ONCE, 0)] if first else []:
            heard_at, failure = time.monotonic(), message.error()
            if failure is None:
                yield message
            elif failure.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - that is its name
                ended.add((message.topic(), message.partition()))
            else:
                raise KafkaException(failure)
        if time.monotonic() - heard_at > SILENCE_S:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001


def _next(consumer: Consumer, place: Position) -> bytes | None:
    """What is at the place just assigned; words about the place before may still come."""
    end = time.monotonic() + SILENCE_S
    while time.monotonic() < end:
        message = consumer.poll(POLL_S)
        if message is None or (message.topic(), message.partition()) != place[:2]:
            continue
        failure = message.error()
        if failure is None and message.offset() == place.offset:
            return message.value()
        if failure is not None and failure.code() in NOTHING_THERE:
            return None
    raise KafkaUnavailable(f"Kafka has not shown what stands in {place.topic} within {SILENCE_S:g} s")
