"""A process that follows a small topic knows soon that it has all of the topic's records, also if there are none."""

from collections.abc import Iterator
from threading import Event

import pytest
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from stream.events.topics import PARTITIONS, Topic
from stream.kafka.cluster import Cluster
from stream.kafka.producer import PRODUCER
from stream.kafka.topic_follower import FOLLOWER, follow
from tests.actors import new_order, until

FETCH_WAIT_S = int(str(FOLLOWER["fetch.wait.max.ms"])) / 1000
"""Kafka answers a fetch of a partition without new records only after this time."""


@pytest.fixture
def cluster(system: dict[str, str]) -> Cluster:
    return Cluster.of_environment(system, "tests")


@pytest.fixture
def topic(cluster: Cluster) -> Topic:
    made, client = Topic(new_order(), ()), cluster.admin()
    client.create_topics([NewTopic(made.name, num_partitions=PARTITIONS)])[made.name].result(10)
    until(lambda: made.name in client.list_topics(timeout=10).topics, bool)
    return made


@pytest.fixture
def stop() -> Iterator[Event]:
    event = Event()
    yield event
    event.set()


def test_an_empty_topic_is_read_at_once(cluster: Cluster, topic: Topic, stop: Event) -> None:
    assert follow(cluster, topic, lambda _: None, stop).wait(FETCH_WAIT_S)


def test_all_records_have_been_read_when_the_follower_says_so(cluster: Cluster, topic: Topic, stop: Event) -> None:
    producer = cluster.producer(PRODUCER)
    for number in range(100):
        producer.produce(topic.name, str(number), str(number))
    producer.flush(10)
    read: list[bytes | None] = []

    assert follow(cluster, topic, lambda message: read.append(message.value()), stop).wait(FETCH_WAIT_S)

    assert len(set(read)) == 100


def test_later_records_are_read_too(cluster: Cluster, topic: Topic, stop: Event) -> None:
    read: list[bytes | None] = []
    assert follow(cluster, topic, lambda message: read.append(message.value()), stop).wait(FETCH_WAIT_S)
    producer = cluster.producer(PRODUCER)

    producer.produce(topic.name, "later", "key")
    producer.flush(10)

    until(lambda: read, lambda values: values == [b"later"])
