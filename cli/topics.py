"""`hookstream topics`: they are created in one explicit step, and shown with what they hold."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli import environment, output
from local.telling import Trouble, say

if TYPE_CHECKING:
    from stream.client_config import Cluster

app = typer.Typer(help="Kafka's topics.", no_args_is_help=True)


@app.command()
def create(
    replication: Annotated[int, typer.Option(min=1, help="Copies of each record; 3 in production.")] = 1,
) -> None:
    """Create the topics that are missing; those that exist stay as they are."""
    from confluent_kafka import KafkaException

    from cli.offsets import Kafka
    from stream import topic_admin, topics

    cluster = _cluster()
    Kafka(cluster).ends()  # says in a sentence when nobody is there
    try:
        topic_admin.create_all(cluster, replication)
    except (KafkaException, RuntimeError) as failure:
        raise Trouble(f"The topics were not created: {failure}") from failure
    say(f"{len(topics.ALL)} topics are there")


@app.command("list")
def list_() -> None:
    """Show every topic: its partitions, its records, what it keeps."""
    from cli.offsets import Kafka
    from stream.topics import ALL, FOREVER

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
