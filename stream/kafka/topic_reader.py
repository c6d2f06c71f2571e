"""Reads topics without joining a consumer group: no committed offset changes."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import zip_longest

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from stream.events.topics import PARTITIONS, Topic
from stream.kafka.cluster import Cluster
from stream.kafka.position import Partition, Position, partition_of
from stream.kafka.producer import CLIENT

READER: dict[str, object] = {
    **CLIENT,
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
}
AT_ONCE: Mapping[str, object] = {"fetch.wait.max.ms": 10}
"""Kafka answers a fetch at the end of a partition after this time, and only then the fetch of the next position.

With librdkafka's 500 ms an order's four records take 3 s, with this 10 ms.
"""
GROUP = "hookstream-reading"
"""librdkafka requires a group id; no offsets are committed in it."""
TIMEOUT_S = 10.0
POLL_S = 0.5
BATCH = 500
NO_RECORD = (KafkaError._PARTITION_EOF, KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)  # noqa: SLF001


class KafkaUnavailable(Exception):
    """Kafka has not answered or sent a record within the timeout, or has answered with an error (a missing topic)."""


def read_at(cluster: Cluster, positions: Sequence[Position]) -> Iterator[tuple[Position, bytes | None]]:
    """Yield each position with the value of its record; with None when Kafka has no record there, or no longer.

    Positions of several partitions are read together, and all values are in memory. Raises KafkaUnavailable when Kafka
    does not answer within TIMEOUT_S.
    """
    found: dict[Position, bytes | None] = {}
    consumer = cluster.consumer(GROUP, {**READER, **AT_ONCE})
    try:
        for together in _one_of_each_partition(positions):
            consumer.assign([TopicPartition(*position) for position in together])
            found |= _values(consumer, together)
    finally:
        consumer.close()
    yield from ((position, found[position]) for position in positions)


def read_all(cluster: Cluster, topics: Sequence[Topic], since_ms: int | None = None) -> Iterator[Message]:
    """Yield all records of these topics, each partition in order, until the end of every partition is reached.

    With `since_ms` (milliseconds since 1970 UTC), start at the first record of each partition whose timestamp is at
    least that. Raises KafkaUnavailable when Kafka sends nothing for TIMEOUT_S, or an error, as for a missing topic.
    """
    return _read(cluster, lambda consumer: _starts(consumer, topics, since_ms), TIMEOUT_S)


def read_from(cluster: Cluster, starts: Mapping[Partition, int], timeout_s: float = TIMEOUT_S) -> Iterator[Message]:
    """Yield the records of these partitions from the given offsets on, until the end of every partition is reached.

    An offset whose record was deleted stands for the first one that is left. Raises KafkaUnavailable when Kafka sends
    nothing for `timeout_s` seconds, or an error.
    """
    return _read(cluster, lambda _: [TopicPartition(*partition, at) for partition, at in starts.items()], timeout_s)


def _read(
    cluster: Cluster, starts: Callable[[Consumer], Sequence[TopicPartition]], timeout_s: float
) -> Iterator[Message]:
    with _reader(cluster) as consumer:
        partitions = list(starts(consumer))
        consumer.assign(partitions)
        yield from _until_ends(consumer, len(partitions), timeout_s)


@contextmanager
def _reader(cluster: Cluster) -> Iterator[Consumer]:
    """Yield a consumer, and close it afterwards; raise its KafkaException as KafkaUnavailable."""
    consumer = cluster.consumer(GROUP, {**READER, "auto.offset.reset": "earliest"})
    try:
        yield consumer
    except KafkaException as failure:
        raise KafkaUnavailable(
            f"Kafka at {cluster.bootstrap_servers} does not answer: {failure.args[0].str()}"
        ) from failure
    finally:
        consumer.close()


def read_last(cluster: Cluster, topics: Sequence[Topic], last: int) -> tuple[list[Message], list[Position]]:
    """Return the records of each partition from its last `last` offsets on, and each partition's position after them.

    Records that are appended meanwhile may be among them. The records of each partition are in order, those of several
    are mixed. Pass the positions, which empty partitions have too, to `follow` to go on. Raises KafkaUnavailable when
    Kafka sends nothing for TIMEOUT_S, or an error, such as that a topic is missing.
    """
    with _reader(cluster) as consumer:
        ends = [_end(consumer, topic.name, number) for topic in topics for number in range(PARTITIONS)]
        consumer.assign([TopicPartition(*end.topic_partition, max(low, end.offset - last)) for low, end in ends])
        messages = list(_until_ends(consumer, len(ends), TIMEOUT_S)) if last else []
    behind = {end.topic_partition: end for _, end in ends}
    for message in messages:
        position = Position(*partition_of(message), (message.offset() or 0) + 1)
        behind[position.topic_partition] = max(behind[position.topic_partition], position)
    return messages, list(behind.values())


def follow(cluster: Cluster, positions: Sequence[Position]) -> Iterator[Message]:
    """Yield the records from these positions on, and new ones as they arrive, without end; wait while Kafka is away."""
    consumer = cluster.consumer(GROUP, {**READER, "auto.offset.reset": "earliest"})
    try:
        consumer.assign([TopicPartition(*position) for position in positions])
        while True:
            first = consumer.poll(POLL_S)
            for message in [first, *consumer.consume(BATCH, 0)] if first else []:
                if message.error() is None:
                    yield message
    finally:
        consumer.close()


def _end(consumer: Consumer, topic: str, partition: int) -> tuple[int, Position]:
    """Return the first offset of a partition and the position after its last record.

    Raises KafkaException when Kafka does not answer within TIMEOUT_S.
    """
    found = consumer.get_watermark_offsets(TopicPartition(topic, partition), TIMEOUT_S)
    if found is None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - its public name
    low, high = found
    return low, Position(topic, partition, high)


def _starts(consumer: Consumer, topics: Sequence[Topic], since_ms: int | None) -> list[TopicPartition]:
    starts = [TopicPartition(topic.name, n, since_ms or 0) for topic in topics for n in range(PARTITIONS)]
    if since_ms is None:
        return starts
    return consumer.offsets_for_times(starts, TIMEOUT_S)


def _until_ends(consumer: Consumer, partitions: int, timeout_s: float) -> Iterator[Message]:
    ended, received_at = set[tuple[str | None, int | None]](), time.monotonic()
    while len(ended) < partitions:
        first = consumer.poll(POLL_S)
        for message in [first, *consumer.consume(BATCH, 0)] if first else []:
            received_at, failure = time.monotonic(), message.error()
            if failure is None:
                yield message
            elif failure.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                ended.add((message.topic(), message.partition()))
            else:
                raise KafkaException(failure)
        if time.monotonic() - received_at > timeout_s:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001


def _one_of_each_partition(positions: Iterable[Position]) -> Iterator[list[Position]]:
    """Yield the positions in groups, each of at most one position of a partition."""
    by_partition: dict[Partition, list[Position]] = {}
    for position in sorted(set(positions)):
        by_partition.setdefault(position.topic_partition, []).append(position)
    for group in zip_longest(*by_partition.values()):
        yield [position for position in group if position is not None]


def _values(consumer: Consumer, positions: Iterable[Position]) -> dict[Position, bytes | None]:
    """Return the values of the records at the assigned positions, of different partitions; None where Kafka has none.

    Messages from the positions assigned before may still arrive and are skipped. Raises KafkaUnavailable without an
    answer within TIMEOUT_S.
    """
    missing, found = {position.topic_partition: position for position in positions}, dict[Position, bytes | None]()
    deadline = time.monotonic() + TIMEOUT_S
    while missing and time.monotonic() < deadline:
        message = consumer.poll(POLL_S)
        position = None if message is None else missing.get(partition_of(message))
        if message is None or position is None:
            continue
        failure = message.error()
        if failure is None and message.offset() == position.offset:
            found[position] = message.value()
        elif failure is not None and failure.code() in NO_RECORD:
            found[position] = None
        if position in found:
            del missing[position.topic_partition]
    if missing:
        topic, _ = next(iter(missing))
        raise KafkaUnavailable(f"Kafka has not returned the record in {topic} within {TIMEOUT_S:g} s")
    return found
