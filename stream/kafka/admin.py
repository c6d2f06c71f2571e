"""Creates the topics, and checks that Kafka is reachable and that topics have the expected partitions."""

from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import NewTopic, TopicMetadata  # type: ignore[attr-defined]

from runtime.startup import NeedUnmet, abort_start
from stream.events.topics import ALL, PARTITIONS, Topic
from stream.kafka import topic_drift
from stream.kafka.cluster import Cluster

TIMEOUT_S = 30
METADATA_TIMEOUT_S = 10
PROBE_TIMEOUT_S = 3
AUTHENTICATION_ERRORS = (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED)  # noqa: SLF001 - its public name


def create_all(cluster: Cluster, replication: int = 1, partitions: int = PARTITIONS) -> None:
    """Create those of hookstream's topics that are missing; existing topics are not changed.

    Raises KafkaException when Kafka does not answer, RuntimeError when a topic cannot be created.
    """
    existing = cluster.metadata(METADATA_TIMEOUT_S).topics
    wanted = [_declaration(topic, replication, partitions) for topic in ALL if topic.name not in existing]
    if not wanted:
        return
    admin = cluster.admin()  # keep a reference: the futures need it until they are done
    for name, created in admin.create_topics(wanted, operation_timeout=TIMEOUT_S).items():
        try:
            created.result(TIMEOUT_S)
        except KafkaException as failure:
            if failure.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise RuntimeError(f"topic {name} could not be created: {failure.args[0].str()}") from failure
        except TimeoutError as late:
            raise RuntimeError(f"topic {name} was not created within {TIMEOUT_S} s") from late


def _declaration(topic: Topic, replication: int, partitions: int) -> NewTopic:
    config = topic_drift.designed_config(topic, replication)
    return NewTopic(topic.name, num_partitions=partitions, replication_factor=replication, config=config)


def is_reachable(cluster: Cluster) -> bool:
    """Return whether Kafka answers a metadata request within PROBE_TIMEOUT_S."""
    try:
        cluster.metadata(PROBE_TIMEOUT_S)
    except KafkaException:
        return False
    return True


def are_healthy(cluster: Cluster, topics: Iterable[str]) -> bool:
    """Return whether Kafka answers and every partition of the topics named has a leader and all its replicas in sync.

    False if a topic is missing.
    """
    try:
        known = cluster.metadata(PROBE_TIMEOUT_S).topics
        partitions = [partition for topic in topics for partition in known[topic].partitions.values()]
    except (KafkaException, KeyError):
        return False
    return all(partition.leader >= 0 and len(partition.isrs) == len(partition.replicas) for partition in partitions)


def missing(cluster: Cluster, needed: Iterable[Topic]) -> list[str]:
    """Return the names of the `needed` topics that do not exist in Kafka, or that it does not describe to this client.

    Raises KafkaException when Kafka does not answer within PROBE_TIMEOUT_S.
    """
    known = cluster.metadata(PROBE_TIMEOUT_S).topics
    return [topic.name for topic in needed if not _partition_count(known.get(topic.name))]


def _partition_count(found: TopicMetadata | None) -> int:
    return len(found.partitions) if found is not None and found.error is None else 0


def check(cluster: Cluster, needed: Iterable[Topic], *, wait_for_missing: bool = True) -> None:
    """Check that each of the `needed` topics has PARTITIONS partitions, which the order of events by key relies on.

    Raises NeedUnmet while Kafka does not answer or a topic is missing; without `wait_for_missing`, a missing topic is
    ignored. Ends the process when a topic has another number of partitions, or when Kafka refuses the credentials.
    """
    try:
        metadata = cluster.metadata(PROBE_TIMEOUT_S)
    except KafkaException as failure:
        error = failure.args[0]
        if error.code() in AUTHENTICATION_ERRORS:
            abort_start(f"Kafka at {cluster.bootstrap_servers} refuses the credentials ({error.str()})")
        raise NeedUnmet(f"Kafka at {cluster.bootstrap_servers} ({error.str()})") from failure
    for topic in needed:
        partitions = _partition_count(metadata.topics.get(topic.name))
        if partitions not in (0, PARTITIONS):
            abort_start(
                f"topic {topic.name} has {partitions} partitions, not {PARTITIONS}. Set TOPIC_PARTITIONS if all topics "
                "have as many; otherwise its order by key is broken: copy its records into a new topic."
            )
        if not partitions and wait_for_missing:
            raise NeedUnmet(f"the topic {topic.name}: run `hookstream topics create`")
