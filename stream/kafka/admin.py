"""Creates every topic in one explicit step, and refuses to work on topics that are not as designed."""

from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import NewTopic, TopicMetadata  # type: ignore[attr-defined]

from runtime.startup import NotYet, refuse
from stream.events.topics import ALL, PARTITIONS, Topic
from stream.kafka import topic_drift
from stream.kafka.client_config import Cluster

TIMEOUT_S = 30
LOOK_S = 10
PROBE_S = 3
REFUSED = (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED)  # noqa: SLF001 - that is its name


def create_all(cluster: Cluster, replication: int = 1, partitions: int = PARTITIONS) -> None:
    """Create the topics that are missing; those that exist stay as they are."""
    existing = cluster.metadata(LOOK_S).topics
    wanted = [_declaration(topic, replication, partitions) for topic in ALL if topic.name not in existing]
    if not wanted:
        return
    admin = cluster.admin()  # which must live until the answers are there
    for name, created in admin.create_topics(wanted, operation_timeout=TIMEOUT_S).items():
        try:
            created.result(TIMEOUT_S)
        except KafkaException as failure:
            if failure.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise RuntimeError(f"topic {name} could not be created: {failure.args[0].str()}") from failure


def _declaration(topic: Topic, replication: int, partitions: int) -> NewTopic:
    config = topic_drift.designed_config(topic, replication)
    return NewTopic(topic.name, num_partitions=partitions, replication_factor=replication, config=config)


def is_reachable(cluster: Cluster) -> bool:
    """Whether Kafka is there at all."""
    try:
        cluster.metadata(PROBE_S)
    except KafkaException:
        return False
    return True


def are_healthy(cluster: Cluster, topics: Iterable[str]) -> bool:
    """Whether Kafka answers, and all replicas of each partition of these topics are in sync with a leader."""
    try:
        known = cluster.metadata(PROBE_S).topics
        partitions = [partition for topic in topics for partition in known[topic].partitions.values()]
    except (KafkaException, KeyError):
        return False
    return all(one.leader >= 0 and len(one.isrs) == len(one.replicas) for one in partitions)


def missing(cluster: Cluster, needed: Iterable[Topic]) -> list[str]:
    """The names of the needed topics that Kafka does not have.

    Raises KafkaException when it does not answer.
    """
    known = cluster.metadata(PROBE_S).topics
    return [topic.name for topic in needed if not _partitions(known.get(topic.name))]


def _partitions(found: TopicMetadata | None) -> int:
    return len(found.partitions) if found is not None and found.error is None else 0


def check(cluster: Cluster, needed: Iterable[Topic], *, wait_for_missing: bool = True) -> None:
    """Return when the needed topics have the partitions their order rests on.

    Raises NotYet while Kafka or, unless the caller does not mind, a topic is missing; ends the process when the
    partitions are others, or when Kafka refuses the credentials.
    """
    try:
        metadata = cluster.metadata(PROBE_S)
    except KafkaException as away:
        error = away.args[0]
        if error.code() in REFUSED:
            refuse(f"Kafka at {cluster.bootstrap_servers} refuses the credentials ({error.str()})")
        raise NotYet(f"Kafka at {cluster.bootstrap_servers} ({error.str()})") from away
    for topic in needed:
        partitions = _partitions(metadata.topics.get(topic.name))
        if partitions not in (0, PARTITIONS):
            refuse(f"topic {topic.name} has {partitions} partitions, not {PARTITIONS}. Its order by key is broken.")
        if not partitions and wait_for_missing:
            raise NotYet(f"the topic {topic.name}: run `hookstream topics create`")
