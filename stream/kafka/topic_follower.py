"""Follows a small topic from its beginning, for a process that keeps the topic's content in memory."""

from collections.abc import Callable, Mapping
from threading import Event, Thread

from confluent_kafka import KafkaError, Message, TopicPartition

from runtime.logging import log
from stream.events.topics import PARTITIONS, Topic
from stream.kafka.client_config import Cluster
from stream.kafka.topic_reader import GROUP, READER

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
    consumer = cluster.consumer(GROUP, dict(FOLLOWER))
    consumer.assign([TopicPartition(topic.name, number, 0) for number in range(PARTITIONS)])
    ended: set[int | None] = set()
    while not stop.is_set():
        for message in consumer.consume(500, POLL_S):
            failure = message.error()
            if failure is None:
                _call(on_record, message)
            elif failure.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                ended.add(message.partition())
            # Other errors are temporary: librdkafka reconnects by itself, and a missing topic is reported by the start.
        if len(ended) == PARTITIONS:
            caught_up.set()
    consumer.close()


def _call(on_record: Callable[[Message], None], message: Message) -> None:
    try:
        on_record(message)
    except Exception:  # noqa: BLE001 - an unforeseen record must not end the thread
        log.exception("record.skipped", topic=message.topic(), partition=message.partition(), offset=message.offset())
