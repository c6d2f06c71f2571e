"""Follows a small topic from its beginning, for a process that keeps the topic's content in memory."""

from collections.abc import Callable, Mapping
from threading import Event, Thread

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from runtime.logging import log
from stream.events.topics import Topic
from stream.kafka.cluster import Cluster
from stream.kafka.group import end_offsets
from stream.kafka.offsets import partitions_of
from stream.kafka.position import partition_of
from stream.kafka.topic_reader import BATCH, GROUP, READER

POLL_S = 1.0
FOLLOWER: Mapping[str, object] = {**READER, "auto.offset.reset": "earliest", "fetch.wait.max.ms": 5_000}
"""The broker answers at once when there is a record, and otherwise every 5 s: an idle follower costs nothing."""


def follow(cluster: Cluster, topic: Topic, on_record: Callable[[Message], None], stop: Event) -> Event:
    """Start a thread that calls `on_record` with every record of `topic`, each partition in order, until `stop` is set.

    Return at once, with an event that is set when the end of every partition has been reached for the first time. An
    exception of `on_record` is logged, and its record is skipped.
    """
    caught_up = Event()
    arguments = (cluster, topic, on_record, stop, caught_up)
    Thread(target=_follow, args=arguments, name=f"follow {topic.base_name}", daemon=True).start()
    return caught_up


def _follow(
    cluster: Cluster, topic: Topic, on_record: Callable[[Message], None], stop: Event, caught_up: Event
) -> None:
    consumer, partitions = cluster.consumer(GROUP, dict(FOLLOWER)), partitions_of([topic])
    # Before the first fetch, since Kafka holds a fetch without records for 5 s, and with it the requests behind it.
    while not (ends := end_offsets.query(consumer, partitions)) and not stop.is_set():
        stop.wait(POLL_S)
    unread = {partition for partition in partitions if ends.get(partition) != 0}
    consumer.assign([TopicPartition(*partition, 0) for partition in partitions])
    while not stop.is_set():
        if not unread:
            caught_up.set()
        for message in _consume(consumer):
            failure = message.error()
            if failure is None:
                _call(on_record, message)
                end = ends.get(partition_of(message))
                is_read = end is not None and (message.offset() or 0) + 1 >= end
            else:
                is_read = failure.code() == KafkaError._PARTITION_EOF  # noqa: SLF001 - its public name
            # Other errors are temporary: librdkafka reconnects by itself, and a missing topic is reported by the start.
            if is_read:
                unread.discard(partition_of(message))
    consumer.close()


def _consume(consumer: Consumer) -> list[Message]:
    """Return the records that are fetched by now; wait up to POLL_S for the first."""
    first = consumer.poll(POLL_S)
    return [] if first is None else [first, *consumer.consume(BATCH, 0)]


def _call(on_record: Callable[[Message], None], message: Message) -> None:
    try:
        on_record(message)
    except Exception:  # noqa: BLE001 - an unforeseen record must not end the thread
        log.exception("record.skipped", topic=message.topic(), partition=message.partition(), offset=message.offset())
