"""Compares topics with the design: replication, retention, clean-up and timestamps."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaException
from confluent_kafka.admin import ConfigResource, ResourceType, TopicMetadata  # type: ignore[attr-defined]

from runtime.config.settings import Mode
from runtime.logging import log
from stream.events.topics import PARTITIONS, Topic
from stream.kafka.client_config import Cluster
from stream.kafka.producer import LARGEST_MESSAGE

TIMEOUT_S = 15
IN_PRODUCTION = 3
"""Copies of each record: one broker may be lost while another is being restarted."""
PARTITION_COUNT, COPIES = "number of partitions", "replication factor"
REMEDIES = {
    PARTITION_COUNT: "It cannot be mended in place, for keys have moved: copy the records into a new topic",
    COPIES: "Change it with kafka-reassign-partitions.sh",
}
CONFIGURE = "Set it: kafka-configs.sh --alter --entity-type topics --entity-name NAME --add-config {setting}={wanted}"


@dataclass(frozen=True, slots=True, order=True)
class Drift:
    """A property of topics that differs from the design."""

    setting: str
    found: str
    wanted: str
    topics: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.setting} is {self.found}, not {self.wanted}"

    @property
    def remedy(self) -> str:
        """Return what a person can do about it."""
        return REMEDIES.get(self.setting) or CONFIGURE.format(setting=self.setting, wanted=self.wanted)


def designed_config(topic: Topic, replication: int) -> dict[str, str]:
    """The configuration a topic is created with."""
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(topic.retention_ms),
        "retention.bytes": "-1",
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": str(max(1, replication - 1)),
    }


def find(cluster: Cluster, topics: Sequence[Topic], mode: Mode, replication: int | None) -> list[Drift]:
    """How the topics that exist differ from the design; what Kafka does not show is not checked.

    Raises KafkaException.
    """
    known: Mapping[str, TopicMetadata] = cluster.metadata(TIMEOUT_S).topics
    there = [topic for topic in topics if topic.name in known and known[topic.name].error is None]
    asked = [ConfigResource(ResourceType.TOPIC, topic.name) for topic in there]
    # To ask for nothing is an error to the client.
    admin = cluster.admin()  # which must live until the answers are there
    answers = admin.describe_configs(asked, request_timeout=TIMEOUT_S) if asked else {}
    configs = {
        resource.name: {name: entry.value for name, entry in answer.result(TIMEOUT_S).items()}
        for resource, answer in answers.items()
    }
    wanted_copies = replication or (IN_PRODUCTION if mode == "live" else None)
    apart: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for topic in there:
        for difference in _differences(topic, known[topic.name], configs[topic.name], wanted_copies):
            apart[difference].append(topic.name)
    return sorted(Drift(*difference, tuple(sorted(names))) for difference, names in apart.items())


def _differences(
    topic: Topic, metadata: TopicMetadata, config: Mapping[str, str], wanted_copies: int | None
) -> Iterable[tuple[str, str, str]]:
    copies = min((len(one.replicas) for one in metadata.partitions.values()), default=0)
    if len(metadata.partitions) != PARTITIONS:
        yield PARTITION_COUNT, str(len(metadata.partitions)), str(PARTITIONS)
    if wanted_copies is not None and copies < wanted_copies:
        yield COPIES, str(copies), str(wanted_copies)
    wanted = designed_config(topic, copies) | {"unclean.leader.election.enable": "false"}
    for setting, value in wanted.items():
        if config.get(setting, value) != value:
            yield setting, config[setting], value
    if int(config.get("max.message.bytes", LARGEST_MESSAGE)) < LARGEST_MESSAGE:
        yield "max.message.bytes", config["max.message.bytes"], str(LARGEST_MESSAGE)


def warn(cluster: Cluster, topics: Sequence[Topic], mode: Mode, replication: int | None) -> None:
    """Log how the topics differ from the design; a live system on single copies is an error in the log."""
    try:
        found = find(cluster, topics, mode, replication)
    except (KafkaException, TimeoutError) as unknown:
        why = unknown.args[0].str() if isinstance(unknown, KafkaException) else "it does not answer"
        log.warning("topic.unchecked", cause=f"Kafka does not show how topics are configured: {why}")
        return
    for drift in found:
        log.warning("topic.drift", cause=str(drift), count=len(drift.topics), topic=", ".join(drift.topics))
        if mode == "live" and (drift.setting, drift.found) == (COPIES, "1"):
            log.error(
                "topic.not_replicated",
                cause="MODE=live, and each record has ONE copy: what that broker's disk loses is lost for ever",
                count=len(drift.topics),
            )
