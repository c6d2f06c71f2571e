"""Records are read at their positions: in whatever order, of whatever partitions, and None where there is none."""

import random

import pytest
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from stream.events.topics import PARTITIONS, Topic
from stream.kafka.cluster import Cluster
from stream.kafka.position import Position
from stream.kafka.producer import PRODUCER
from stream.kafka.topic_reader import read_at
from tests.actors import new_order, until

EACH = 4
"""The records in each partition."""


@pytest.fixture
def cluster(system: dict[str, str]) -> Cluster:
    return Cluster.of_environment(system, "tests")


@pytest.fixture
def topic(cluster: Cluster) -> str:
    made, client = Topic(new_order(), ()), cluster.admin()
    client.create_topics([NewTopic(made.name, num_partitions=PARTITIONS)])[made.name].result(10)
    until(lambda: made.name in client.list_topics(timeout=10).topics, bool)
    producer = cluster.producer(PRODUCER)
    for number in range(PARTITIONS):
        for offset in range(EACH):
            producer.produce(made.name, f"{number}/{offset}".encode(), partition=number)
    assert producer.flush(10) == 0
    return made.name


@pytest.mark.parametrize("seed", [1, 2])
def test_values_are_those_of_their_positions_in_the_order_of_the_positions(
    cluster: Cluster, topic: str, seed: int
) -> None:
    positions = [Position(topic, number, offset) for number in range(PARTITIONS) for offset in range(EACH)]
    random.Random(seed).shuffle(positions)  # noqa: S311 - not a secret

    assert list(read_at(cluster, positions)) == [(at, f"{at.partition}/{at.offset}".encode()) for at in positions]


def test_a_position_without_a_record_is_none_beside_others_of_its_partition(cluster: Cluster, topic: str) -> None:
    first, beyond, last = (Position(topic, 0, offset) for offset in (0, EACH + 100, EACH - 1))

    assert list(read_at(cluster, [beyond, first, last, first])) == [
        (beyond, None),
        (first, b"0/0"),
        (last, f"0/{EACH - 1}".encode()),
        (first, b"0/0"),
    ]


def test_no_positions_are_no_records(cluster: Cluster) -> None:
    assert list(read_at(cluster, [])) == []
