"""`hookstream topics`: they are created in one explicit step, and shown with what they hold."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli import environment, output
from local.messages import Trouble, say

if TYPE_CHECKING:
    from stream.kafka.client_config import Cluster

app = typer.Typer(help="Kafka's topics.", no_args_is_help=True)


@app.command()
def create(
    replication: Annotated[int, typer.Option(min=1, help="Copies of each record; 3 in production.")] = 1,
) -> None:
    """Create the topics that are missing; those that exist stay as they are."""
    from confluent_kafka import KafkaException

    from stream.events import topics
    from stream.kafka import admin

    cluster = _cluster()
    try:
        admin.create_all(cluster, replication)
    except KafkaException as away:
        raise Trouble(f"Kafka at {cluster.bootstrap_servers} does not answer: {away.args[0].str()}") from away
    except RuntimeError as failure:
        raise Trouble(f"The topics were not created: {failure}") from failure
    say(f"{len(topics.ALL)} topics are there")


@app.command()
def check(
    replication: Annotated[
        int | None, typer.Option(min=1, help="Copies each record should have; else TOPIC_REPLICATION, or 3 when live.")
    ] = None,
) -> None:
    """Hold the topics against the design; exit code 1 when one is missing or differs, with what to do."""
    from confluent_kafka import KafkaException

    from stream.events.topics import ALL
    from stream.kafka import admin, topic_drift

    env, cluster = environment.read(), _cluster()
    try:
        missing = admin.missing(cluster, ALL)
        drifts = topic_drift.find(cluster, ALL, *environment.replication(env, replication))
    except KafkaException as failure:
        raise Trouble(f"Kafka at {cluster.bootstrap_servers} does not answer: {failure.args[0].str()}") from failure
    complaints = [f"missing: {name}. Run `hookstream topics create`" for name in missing]
    for drift in drifts:
        names = ", ".join(drift.topics)
        complaints.append(f"{drift}: {names}\n  {drift.remedy}")
    if complaints:
        raise Trouble("\n".join(complaints))
    say(f"{len(ALL)} topics are as designed")


@app.command("list")
def list_() -> None:
    """Show every topic: its partitions, its records, what it keeps."""
    from cli.clients.offsets import Kafka
    from stream.events.topics import ALL, FOREVER

    kafka = Kafka(_cluster())
    ends = kafka.ends()
    table = output.table("topic", "partitions", "offsets", "keeps", "carries")
    for topic in ALL:
        own = [end for (name, _), end in ends.items() if name == topic.name]
        keeps = "everything" if topic.retention_ms == FOREVER else f"{topic.retention_ms // 86_400_000} days"
        names = ", ".join(record.__name__ for record in topic.records)
        output.add(table, topic.name, str(len(own)) if own else "missing", str(sum(own)), keeps, names)
    output.show(table, 0)


def _cluster() -> "Cluster":
    env = environment.read()
    environment.need(env, "KAFKA_BOOTSTRAP_SERVERS")
    return environment.cluster(env)
