"""`hookstream topics`: creates, checks, lists and reads the topics. No service creates them."""

import json
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli import environment, output
from cli.output import Json
from local.messages import CommandError, say, say_all
from runtime.json_value import JsonValue
from runtime.plain_text import counted

if TYPE_CHECKING:
    from confluent_kafka import Message

    from stream.avro.codec import Codec
    from stream.events.topics import Topic
    from stream.kafka.cluster import Cluster

app = typer.Typer(help="Create, check, list and read Kafka topics.", no_args_is_help=True)

DAY_MS = 86_400_000


@app.command()
def create(
    replication: Annotated[int, typer.Option(min=1, help="Copies of each record; 3 in production.")] = 1,
) -> None:
    """Create the topics that are missing. Existing topics are not changed, even if they differ."""
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
def list_(*, as_json: Json = False) -> None:
    """List every topic with its partitions, the sum of its end offsets, retention and record types."""
    from cli.clients.offsets import Kafka
    from stream.events.topics import ALL

    kafka = Kafka(_cluster())
    ends = kafka.end_offsets()
    rows = [_summary(topic, [end for (name, _), end in ends.items() if name == topic.name]) for topic in ALL]
    if as_json:
        return output.say_list("topics", rows)
    table = output.table("topic", "partitions", "offsets", "retention", "records")
    for row in rows:
        days = row["retentionDays"]
        period = "forever" if days is None else counted(days, "day")
        retention = "last of each key" if row["isCompacted"] else period
        partitions = str(row["partitions"] or "missing")
        output.add(table, row["topic"], partitions, str(row["offsets"]), retention, ", ".join(row["records"]))
    return output.show(table)


@app.command()
def tail(
    name: Annotated[str, typer.Argument(metavar="TOPIC", help="The topic, with or without its prefix.")],
    last: Annotated[int, typer.Option(min=0, max=10_000, help="Number of records to begin with, the newest.")] = 10,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Print new records too, until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """Print a topic's newest records decoded, as JSON, with card numbers, secrets and addresses masked.

    With --json each record is one line, with its position and key.
    """
    from stream.avro.codec import Codec
    from stream.kafka import topic_reader

    topic, cluster = _topic(name), _cluster()
    codec = Codec(environment.registry(environment.read()))
    try:
        messages, behind = topic_reader.read_last(cluster, [topic], last)
    except topic_reader.KafkaUnavailable as away:
        raise CommandError(str(away)) from away
    newest = sorted(messages, key=lambda message: (message.timestamp()[1], message.offset()))
    for message in newest[max(0, len(newest) - last) :]:
        _say_record(codec, message, as_json=as_json)
    with suppress(KeyboardInterrupt):
        for message in topic_reader.follow(cluster, behind) if follow else ():
            _say_record(codec, message, as_json=as_json)


def _summary(topic: "Topic", ends: list[int]) -> dict[str, JsonValue]:
    """Return a row of the list: `partitions` is 0 for a missing topic, `retentionDays` None if records stay forever."""
    from stream.events.topics import FOREVER

    return {
        "topic": topic.name,
        "partitions": len(ends),
        "offsets": sum(ends),
        "isCompacted": topic.holds_state,
        "retentionDays": None if topic.retention_ms == FOREVER else topic.retention_ms // DAY_MS,
        "records": [record.__name__ for record in topic.records],
    }


def _topic(name: str) -> "Topic":
    from stream.events.topics import ALL

    for topic in ALL:
        if name in (topic.name, topic.base_name):
            return topic
    raise CommandError(f"There is no topic {name}. `hookstream topics list` shows them.")


def _say_record(codec: "Codec", message: "Message", *, as_json: bool) -> None:
    from stream.dead_letters import record_view

    at = message.timestamp()[1]
    record, _ = record_view.decode(codec, message.value())
    fields = {
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "at": datetime.fromtimestamp(at / 1000).astimezone().isoformat(timespec="milliseconds"),
        "key": record_view.key_text(message.key()),
        "type": type(record).__name__ if record else None,
        **record_view.content(codec, message.value()),
    }
    if as_json:
        return say(json.dumps(fields, ensure_ascii=False))
    position = f"{fields['topic']} partition {fields['partition']} offset {fields['offset']}"
    say(f"{fields['at']}  {fields['type'] or 'undecodable'}  {position}  key {fields['key']}")
    return say_all(json.dumps(fields.get("record", fields), ensure_ascii=False, indent=2))


def _cluster() -> "Cluster":
    env = environment.read()
    environment.require(env, "KAFKA_BOOTSTRAP_SERVERS")
    return environment.cluster(env)
