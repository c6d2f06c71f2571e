"""Compares the topics in Kafka with their design: partitions, replication, retention, clean-up, timestamps."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaException
from confluent_kafka.admin import ConfigResource, ResourceType, TopicMetadata  # type: ignore[attr-defined]

from runtime.config.settings import Mode
from runtime.logging import log
from stream.events.topics import PARTITIONS, Topic
from stream.kafka.cluster import Cluster
from stream.kafka.producer import LARGEST_MESSAGE

TIMEOUT_S = 15
PRODUCTION_REPLICATION = 3
"""Replicas of each record: one broker may fail while another is restarted."""
PARTITION_COUNT, REPLICATION = "number of partitions", "replication factor"
REMEDIES = {
    PARTITION_COUNT: "It cannot be repaired in place, since keys have moved: copy the records into a new topic",
    REPLICATION: "Change it with kafka-reassign-partitions.sh",
}
CONFIGURE = "Set it: kafka-configs.sh --alter --entity-type topics --entity-name NAME --add-config {setting}={wanted}"


@dataclass(frozen=True, slots=True, order=True)
class Drift:
    """A property that differs from the design in the same way in all of `topics`, which are names.

    `found` is its value in Kafka, `wanted` the value by design.
    """

    setting: str
    found: str
    wanted: str
    topics: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.setting} is {self.found}, not {self.wanted}"

    @property
    def remedy(self) -> str:
        """A sentence that tells an operator how to correct the property."""
        return REMEDIES.get(self.setting) or CONFIGURE.format(setting=self.setting, wanted=self.wanted)


def designed_config(topic: Topic, replication: int) -> dict[str, str]:
    """Return the configuration that `topic` is created with when its records have `replication` copies."""
    return {
        "cleanup.policy": "compact" if topic.holds_state else "delete",
        "retention.ms": str(topic.retention_ms),
        "retention.bytes": "-1",
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": str(max(1, replication - 1)),
    }


def find(cluster: Cluster, topics: Sequence[Topic], mode: Mode, replication: int | None) -> list[Drift]:
    """Return the differences of topics from the design; empty if there are none.

    Topics that do not exist are not checked, nor are settings that Kafka does not show. `replication` is the least
    number of replicas; None means PRODUCTION_REPLICATION in live mode, else any number.

    Raises KafkaException or TimeoutError when Kafka does not answer.
    """
    known: Mapping[str, TopicMetadata] = cluster.metadata(TIMEOUT_S).topics
    existing = [topic for topic in topics if topic.name in known and known[topic.name].error is None]
    resources = [ConfigResource(ResourceType.TOPIC, topic.name) for topic in existing]
    # The client raises an error for an empty list.
    admin = cluster.admin()  # keep a reference: the futures need it until they are done
    futures = admin.describe_configs(resources, request_timeout=TIMEOUT_S) if resources else {}
    configs = {
        resource.name: {name: entry.value for name, entry in future.result(TIMEOUT_S).items()}
        for resource, future in futures.items()
    }
    wanted_replicas = replication or (PRODUCTION_REPLICATION if mode == "live" else None)
    names_by_difference: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for topic in existing:
        for difference in _differences(topic, known[topic.name], configs[topic.name], wanted_replicas):
            names_by_difference[difference].append(topic.name)
    return sorted(Drift(*difference, tuple(sorted(names))) for difference, names in names_by_difference.items())


def _differences(
    topic: Topic, metadata: TopicMetadata, config: Mapping[str, str], wanted_replicas: int | None
) -> Iterable[tuple[str, str, str]]:
    """Yield the setting, its value in Kafka and its wanted value for each difference."""
    replicas = min((len(partition.replicas) for partition in metadata.partitions.values()), default=0)
    if len(metadata.partitions) != PARTITIONS:
        yield PARTITION_COUNT, str(len(metadata.partitions)), str(PARTITIONS)
    if wanted_replicas is not None and replicas < wanted_replicas:
        yield REPLICATION, str(replicas), str(wanted_replicas)
    wanted = designed_config(topic, replicas) | {"unclean.leader.election.enable": "false"}
    for setting, value in wanted.items():
        if config.get(setting, value) != value:
            yield setting, config[setting], value
    if int(config.get("max.message.bytes", LARGEST_MESSAGE)) < LARGEST_MESSAGE:
        yield "max.message.bytes", config["max.message.bytes"], str(LARGEST_MESSAGE)


def warn(cluster: Cluster, topics: Sequence[Topic], mode: Mode, replication: int | None) -> None:
    """Log a warning for each difference from the design, and an error for unreplicated topics of a live system.

    There is no such error if `replication` is 1. If Kafka does not answer, only that is logged: nothing is raised.
    """
    try:
        found = find(cluster, topics, mode, replication)
    except (KafkaException, TimeoutError) as failure:
        reason = failure.args[0].str() if isinstance(failure, KafkaException) else "it does not answer"
        log.warning("topic.unchecked", cause=f"Kafka does not return the configuration of topics: {reason}")
        return
    for drift in found:
        log.warning("topic.drift", cause=str(drift), count=len(drift.topics), topic=", ".join(drift.topics))
        if mode == "live" and (drift.setting, drift.found) == (REPLICATION, "1"):
            log.error(
                "topic.not_replicated",
                cause="MODE=live, and each record has ONE copy: if that broker's disk fails, its records are lost",
                count=len(drift.topics),
            )
