"""`hookstream tail`: prints what happens, live: webhooks, refusals, outcomes, domain events and mails."""

from contextlib import suppress
from typing import Annotated

import typer

from cli import environment
from cli.clients.tail_entries import COLOURS, Filters, Tail, TailEntry
from local.messages import CommandError, say
from runtime.json_value import JsonValue


def tail(
    provider: Annotated[str | None, typer.Option(help="Only of one provider, such as toss.")] = None,
    order: Annotated[str | None, typer.Option(help="Only of one order.")] = None,
    outcome: Annotated[str | None, typer.Option(help="Only one outcome: received, refused, processed, dead …")] = None,
    cause: Annotated[
        str | None, typer.Option(help="Only refusals, quarantined webhooks and failures whose cause contains this.")
    ] = None,
    last: Annotated[
        int, typer.Option(min=0, max=1000, help="Number of earlier entries to begin with, the newest that match.")
    ] = 0,
    *,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Print new entries too, until Ctrl-C.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print each entry as one line of JSON.")] = False,
) -> None:
    """Print each webhook, refusal, outcome, domain event and mail as it happens, as one line, until Ctrl-C."""
    from stream.avro.codec import Codec
    from stream.kafka import topic_reader

    if outcome not in (None, *COLOURS):
        raise CommandError(f"There is no outcome {outcome}. Use one of {', '.join(COLOURS)}.")
    env = environment.read()
    environment.require(env, "KAFKA_BOOTSTRAP_SERVERS")
    cluster, seen = environment.cluster(env), Tail(Codec(environment.registry(env)))
    filters = Filters(provider and provider.lower(), order, outcome, cause and cause.lower())
    try:
        messages, behind = topic_reader.read_last(cluster, Tail.TOPICS, max(last, CONTEXT))
    except topic_reader.KafkaUnavailable as away:
        raise CommandError(str(away)) from away
    earlier = [entry for message in sorted(messages, key=_at) if (entry := seen.read(message)) and filters.match(entry)]
    for entry in earlier[max(0, len(earlier) - last) :] if last else ():
        _say(entry, as_json=as_json)
    with suppress(KeyboardInterrupt):
        for message in topic_reader.follow(cluster, behind) if follow else ():
            if (entry := seen.read(message)) and filters.match(entry):
                _say(entry, as_json=as_json)


CONTEXT = 200
"""The least number of earlier records that are read of each partition, because an outcome names only a webhook's id."""


def _at(message: JsonValue) -> tuple[int, int]:
    return message.timestamp()[1], message.offset()


def _say(entry: TailEntry, *, as_json: bool) -> None:
    from cli import output

    if as_json:
        say(entry.as_json())
    else:
        output.say_coloured(entry.line(), entry.colour)
