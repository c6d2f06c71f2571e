"""Checks the brokers, the topics with their partitions, and the schemas."""

from collections.abc import Iterator, Mapping

from confluent_kafka import KafkaException
from confluent_kafka.admin import ClusterMetadata  # type: ignore[attr-defined] # exported, but not in the stubs

from cli import environment
from cli.doctor.finding import Finding, ok, warning, wrong
from cli.schema_registry import push, registration
from local.messages import CommandError
from stream.avro.registry_client import RegistryError
from stream.events.topics import ALL
from stream.kafka import admin, topic_drift
from stream.kafka.cluster import Cluster

TIMEOUT_S = 5.0


def check(env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding for the brokers and, if a broker answers, the findings for the topics."""
    cluster = environment.cluster(env)
    name = cluster.bootstrap_servers
    try:
        metadata = cluster.metadata(TIMEOUT_S)
    except KafkaException as failure:
        remedy = "Start Kafka, or correct KAFKA_BOOTSTRAP_SERVERS and the KAFKA_… credentials (docs/kafka.md)."
        yield wrong("brokers", name, failure.args[0].str(), remedy)
        return
    yield _brokers(name, metadata, env)
    try:
        yield from _topics(cluster, metadata, env)
    except (KafkaException, TimeoutError) as failure:
        why = failure.args[0].str() if isinstance(failure, KafkaException) else "no answer in time"
        remedy = "Give the operator DESCRIBE_CONFIGS on the topics (docs/acls.md), or try again."
        yield warning("topics", "configuration", f"Kafka does not show it: {why}", remedy)


def check_schemas(env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding for registry.json, and one for the schema registry if SCHEMA_REGISTRY_URL is set.

    registry.json must have the schema of each record, the schema registry all versions in registry.json. A registry
    that does not answer is a finding, not an error.
    """
    entries = registration.entries()
    if unregistered := list(registration.unregistered(entries)):
        yield wrong("schemas", "registry.json", unregistered[0], "Run `hookstream schemas add` and commit the file.")
    else:
        yield ok("schemas", "registry.json", f"{len(entries)} versions, all records of this version among them")
    if not env.get("SCHEMA_REGISTRY_URL"):
        return
    try:
        client = environment.registry_client(env)
        missing = [entry for entry in entries if push.find(client, entry) is None]
    except (RegistryError, CommandError) as failure:
        remedy = "Correct SCHEMA_REGISTRY_URL and its credentials, or start the registry."
        yield wrong("schemas", "registry", str(failure), remedy)
        return
    if missing:
        names = ", ".join(f"{entry['subject']} version {entry['version']}" for entry in missing[:3])
        yield wrong("schemas", client.name, f"lacks {len(missing)}: {names} …", "Run `hookstream schemas push`.")
    else:
        yield ok("schemas", client.name, f"has all {len(entries)} versions")


def _brokers(name: str, metadata: ClusterMetadata, env: Mapping[str, str]) -> Finding:
    count = len(metadata.brokers)
    mode, copies = environment.replication(env, None)
    wanted = copies or (topic_drift.PRODUCTION_REPLICATION if mode == "live" else 1)
    if count < wanted:
        found = f"{count} of the {wanted} brokers that the copies of each record need"
        return wrong(
            "brokers", name, found, "Start the missing brokers, or set TOPIC_REPLICATION to the copies you want."
        )
    return ok("brokers", name, f"{count} in cluster {metadata.cluster_id}, controller {metadata.controller_id}")


def _topics(cluster: Cluster, metadata: ClusterMetadata, env: Mapping[str, str]) -> Iterator[Finding]:
    missing = admin.missing(cluster, ALL)
    drifts = topic_drift.find(cluster, ALL, *environment.replication(env, None))
    troubled = list(_partitions(metadata))
    if missing:
        yield wrong("topics", ", ".join(missing), "missing", "Run `hookstream topics create`.")
    for drift in drifts:
        yield wrong("topics", ", ".join(drift.topics), str(drift), drift.remedy)
    yield from troubled
    if not (missing or drifts or troubled):
        count = sum(len(metadata.topics[topic.name].partitions) for topic in ALL)
        yield ok("topics", f"{len(ALL)} topics", f"as designed; {count} partitions, each with a leader and in sync")


def _partitions(metadata: ClusterMetadata) -> Iterator[Finding]:
    ours = [metadata.topics[topic.name] for topic in ALL if topic.name in metadata.topics]
    leaderless = [f"{topic.topic}/{p.id}" for topic in ours for p in topic.partitions.values() if p.leader < 0]
    behind = [
        f"{topic.topic}/{p.id}" for topic in ours for p in topic.partitions.values() if len(p.isrs) < len(p.replicas)
    ]
    if leaderless:
        remedy = "Start the brokers that hold them; webhooks for them are spooled or answered 503 meanwhile."
        yield wrong("partitions", _first(leaderless), f"{len(leaderless)} without a leader", remedy)
    if behind:
        remedy = "Start the brokers that are away; if all run, look for a slow disk or network."
        yield wrong("partitions", _first(behind), f"{len(behind)} with replicas that are out of sync", remedy)


def _first(names: list[str]) -> str:
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")  # noqa: PLR2004 - as many as are named
