"""Creates every topic in one explicit step, and refuses to work on topics that are not as designed."""

from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from runtime.startup import NotYet, refuse
from stream.client_config import Cluster
from stream.topics import ALL, PARTITIONS, Topic

TIMEOUT_S = 30
PROBE_S = 3
REFUSED = (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED)  # noqa: SLF001 - that is its name


def create_all(cluster: Cluster, replication: int = 1) -> None:
    """Create the topics that are missing; those that exist stay as they are."""
    admin = cluster.admin()
    existing = admin.list_topics(timeout=TIMEOUT_S).topics
    wanted = [_declaration(topic, replication) for topic in ALL if topic.name not in existing]
    if not wanted:
        return
    for name, created in admin.create_topics(wanted, operation_timeout=TIMEOUT_S).items():
        try:
            created.result(TIMEOUT_S)
        except KafkaException as failure:
            if failure.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise RuntimeError(f"topic {name} could not be created: {failure.args[0].str()}") from failure


def _declaration(topic: Topic, replication: int) -> NewTopic:
    config = {
        "cleanup.policy": "delete",
        "retention.ms": str(topic.retention_ms),
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": str(max(1, replication - 1)),
    }
    return NewTopic(topic.name, num_partitions=PARTITIONS, replication_factor=replication, config=config)


def answers(cluster: Cluster) -> bool:
    """Whether Kafka is there at all."""
    try:
        cluster.admin().list_topics(timeout=PROBE_S)
    except KafkaException:
        return False
    return True


def are_well(cluster: Cluster, topics: Iterable[str]) -> bool:
    """Whether Kafka answers, and all replicas of each partition of these topics are in sync with a leader."""
    try:
        known = cluster.admin().list_topics(timeout=PROBE_S).topics
        partitions = [partition for topic in topics for partition in known[topic].partitions.values()]
    except (KafkaException, KeyError):
        return False
    return all(one.leader >= 0 and len(one.isrs) == len(one.replicas) for one in partitions)


def check(cluster: Cluster, needed: Iterable[Topic]) -> None:
    """Return when every needed topic is there with the partitions its order rests on.

    Raises NotYet while Kafka or a topic is missing; ends the process when the partitions are others, or when Kafka
    refuses the credentials.
    """
    errors: list[KafkaError] = []
    admin = cluster.admin(errors.append)
    try:
        metadata = admin.list_topics(timeout=PROBE_S)
    except KafkaException as away:
        admin.poll(0)  # what it has to say of its tries is told then
        if refused := next((error for error in errors if error.code() in REFUSED), None):
            refuse(f"Kafka at {cluster.bootstrap_servers} refuses the credentials ({refused.str()})")
        raise NotYet(f"Kafka at {cluster.bootstrap_servers} ({away.args[0].str()})") from away
    for topic in needed:
        found = metadata.topics.get(topic.name)
        partitions = len(found.partitions) if found else 0
        if not partitions:
            raise NotYet(f"the topic {topic.name}: run `hookstream topics create`")
        if partitions != PARTITIONS:
            refuse(f"topic {topic.name} has {partitions} partitions, not {PARTITIONS}. Its order by key is broken.")
