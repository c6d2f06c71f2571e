"""Topics are part of the design: what differs from it is not worked with."""

import pytest
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from runtime.startup import NeedUnmet
from stream.events.topics import Topic
from stream.kafka import admin
from stream.kafka.cluster import Cluster
from tests.actors import new_order, until


@pytest.mark.parametrize("partitions", [3, 13])
def test_a_topic_of_other_partitions_stops_the_start_with_a_sentence(partitions: int, system: dict[str, str]) -> None:
    cluster, topic = Cluster.of_environment(system, "tests"), Topic(new_order(), ())
    client = cluster.admin()
    client.create_topics([NewTopic(topic.name, num_partitions=partitions)])[topic.name].result(10)
    until(lambda: topic.name in client.list_topics(timeout=10).topics, bool)

    with pytest.raises(SystemExit, match=f"topic {topic.name} has {partitions} partitions, not 12"):
        admin.check(cluster, [topic])


def test_a_topic_that_is_missing_is_waited_for_and_not_made(system: dict[str, str]) -> None:
    cluster, topic = Cluster.of_environment(system, "tests"), Topic(new_order(), ())

    with pytest.raises(NeedUnmet, match=f"the topic {topic.name}: run `hookstream topics create`"):
        admin.check(cluster, [topic])

    assert topic.name not in cluster.admin().list_topics(timeout=10).topics


def test_a_kafka_that_does_not_answer_is_waited_for() -> None:
    with pytest.raises(NeedUnmet, match=r"Kafka at 127\.0\.0\.1:1 "):
        admin.check(Cluster("127.0.0.1:1", "tests"), [])
