"""`hookstream topics`: creates, checks and lists the topics. No service creates them."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli import environment, output
from local.messages import CommandError, say

if TYPE_CHECKING:
    from stream.kafka.client_config import Cluster

app = typer.Typer(help="Create, check and list Kafka topics.", no_args_is_help=True)


@app.command()
def create(
    replication: Annotated[int, typer.Option(min=1, help="Copies of each record; 3 in production.")] = 1,
) -> None:
    """Create missing topics. Existing topics are not changed."""
    from confluent_kafka import KafkaException

    from stream.events import topics
    from stream.kafka import admin

    cluster = _cluster()
    try:
        admin.create_all(cluster, replication)
    except KafkaException as away:
        raise CommandError(f"Kafka at {cluster.bootstrap_servers} does not answer: {away.args[0].str()}") from away
    except RuntimeError as failure:
        raise CommandError(f"The topics were not created: {failure}") from failure
    say(f"{len(topics.ALL)} topics exist")


@app.command()
def check(
    replication: Annotated[
        int | None,
        typer.Option(min=1, help="Expected copies of each record. Default: TOPIC_REPLICATION, or 3 in live mode."),
    ] = None,
) -> None:
    """Compare the topics with their definitions; the exit code is 1 when one is missing or differs."""
    from confluent_kafka import KafkaException

    from stream.events.topics import ALL
    from stream.kafka import admin, topic_drift

    env, cluster = environment.read(), _cluster()
    try:
        missing = admin.missing(cluster, ALL)
        drifts = topic_drift.find(cluster, ALL, *environment.replication(env, replication))
    except KafkaException as failure:
        raise CommandError(
            f"Kafka at {cluster.bootstrap_servers} does not answer: {failure.args[0].str()}"
        ) from failure
    problems = [f"missing: {name}. Run `hookstream topics create`" for name in missing]
    for drift in drifts:
        names = ", ".join(drift.topics)
        problems.append(f"{drift}: {names}\n  {drift.remedy}")
    if problems:
        raise CommandError("\n".join(problems))
    say(f"{len(ALL)} topics are as designed")


@app.command("list")
def list_() -> None:
    """List every topic with its partitions, end offsets, retention and record types."""
    from cli.clients.offsets import Kafka
    from stream.events.topics import ALL, FOREVER

    kafka = Kafka(_cluster())
    ends = kafka.end_offsets()
    table = output.table("topic", "partitions", "offsets", "retention", "records")
    for topic in ALL:
        own = [end for (name, _), end in ends.items() if name == topic.name]
        retention = "forever" if topic.retention_ms == FOREVER else f"{topic.retention_ms // 86_400_000} days"
        names = ", ".join(record.__name__ for record in topic.records)
        output.add(table, topic.name, str(len(own)) if own else "missing", str(sum(own)), retention, names)
    output.show(table, 0)


def _cluster() -> "Cluster":
    env = environment.read()
    environment.require(env, "KAFKA_BOOTSTRAP_SERVERS")
    return environment.cluster(env)
