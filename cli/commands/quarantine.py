"""`hookstream quarantine`: lists quarantined webhooks with their causes, and releases those that can now be read."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import confirm, environment, output
from local.messages import CommandError, say, say_all

if TYPE_CHECKING:
    from confluent_kafka import Message

    from stream.avro.codec import Codec
    from stream.events import QuarantinedWebhook, Record
    from stream.kafka.topic_reader import Position

app = typer.Typer(
    help="Quarantined webhooks: genuine ones that could not be processed, and unverified ones.",
    no_args_is_help=True,
)
MINUTE_US = 60_000_000
BATCH = 50
"""Records that the gateway accepts in one release request."""
UNREADABLE = "unreadable_record"
"""The cause shown for a record in the quarantine's topics that is not a quarantine record."""
SHOWN = "event_id provider mode cause detail verification path".split()

Provider = Annotated[str | None, typer.Option(help="One provider, such as toss. Default: all providers.")]
Cause = Annotated[str | None, typer.Option(help="One cause, such as unsupported_type, invalid_field or other_mode.")]
Since = Annotated[str | None, typer.Option(help="Received at or after a date (a day in UTC) or a timestamp.")]


@dataclass
class QuarantineEntry:
    """A quarantined webhook, the position of its newest copy, its number of copies, and whether it was released."""

    webhook: "QuarantinedWebhook"
    position: "Position"
    copies: int
    released: bool = False


@app.command("list")
def list_(
    provider: Provider = None,
    cause: Cause = None,
    since: Since = None,
    *,
    released: Annotated[bool, typer.Option("--released", help="Include webhooks that were released.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Webhooks to show, newest first.")] = 50,
) -> None:
    """List quarantined webhooks that were not released. A body that was posted several times is listed once."""
    found = [entry for entry in _read(since) if _matches(entry, provider, cause) and (released or not entry.released)]
    table = output.table("id", "received", "provider", "cause", "detail", "times", "")
    for entry in sorted(found, key=_received_at, reverse=True)[:limit]:
        webhook = entry.webhook
        cells = (webhook.event_id, _time(webhook.received_at), webhook.provider, webhook.cause, webhook.detail)
        output.add(table, *cells, str(entry.copies), "released" if entry.released else "")
    if found:
        output.show(table)
    say(" · ".join(f"{count} {cause}" for cause, count in sorted(_counts(found).items())) or "nothing is quarantined")


@app.command()
def show(
    webhook: Annotated[
        str, typer.Argument(metavar="ID", help="The id that `quarantine list` shows, or the provider's id.")
    ],
) -> None:
    """Show one quarantined webhook: its cause and its body, with card numbers, secrets and addresses masked."""
    from stream.events.redaction import masked_text, masked_value, redacted

    entry = _find([webhook], _read(None))[0]
    for name in SHOWN:
        say(f"{name}: {masked_text(str(getattr(entry.webhook, name)))}")
    say(f"received: {_time(entry.webhook.received_at)}, {entry.copies} times in all")
    say(f"position: {entry.position.topic} partition {entry.position.partition} offset {entry.position.offset}")
    say(f"released: {'yes' if entry.released else 'no'}")
    say(f"headers: {json.dumps(masked_value(entry.webhook.headers), ensure_ascii=False)}")
    say_all(f"body: {json.dumps(redacted(entry.webhook.raw), ensure_ascii=False, indent=2)}")


@app.command()
def release(
    webhooks: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Our ids or providers' ids. Default: all that match the options."),
    ] = None,
    provider: Provider = None,
    cause: Cause = None,
    since: Since = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show which webhooks can be released and release none.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Let the gateway verify and read webhooks again. Those that fail stay quarantined, and the cause is printed.

    A webhook that is named by its id is released even when it was released before. It becomes the same event, which
    services that have processed it treat as a duplicate.
    """
    if not (webhooks or provider or cause):
        raise CommandError("Say which webhooks: pass their ids, or --cause or --provider.")
    found = _find(webhooks, _read(since)) if webhooks else [entry for entry in _read(since) if not entry.released]
    selected = sorted((entry for entry in found if _matches(entry, provider, cause)), key=_received_at)
    if not selected:
        return say("no quarantined webhook matches")
    releasable = [result for result in _release(selected, dry_run=True) if result["released"]]
    if releasable and not dry_run:
        confirm.require_confirmation(f"release {len(releasable)} webhooks", len(releasable), yes=yes)
    results = list(_release(selected, dry_run=dry_run))
    for result in results:
        say(_result_line(result, dry_run=dry_run))
    done = sum(result["released"] for result in results)
    say(f"{done} {'can be released' if dry_run else 'released'}, {len(results) - done} stay")


def _read(since: str | None) -> list[QuarantineEntry]:
    """Read both quarantine topics; each body of each topic becomes one entry.

    Raises CommandError when Kafka does not answer or `since` is not a time.
    """
    from stream.avro.codec import Codec
    from stream.events import Outcome, QuarantinedWebhook, topics
    from stream.kafka.topic_reader import KafkaUnavailable, Position, read_all

    env = environment.read()
    environment.require(env, "KAFKA_BOOTSTRAP_SERVERS")
    codec = Codec(environment.registry(env))
    begin = _begin(since)
    # Kafka's timestamps and the gateway's received_at come from different clocks: start a minute earlier.
    earliest = None if begin is None else (begin - MINUTE_US) // 1000
    entries: dict[tuple[str, str], QuarantineEntry] = {}
    try:
        for message in read_all(environment.cluster(env), (topics.QUARANTINE, topics.UNVERIFIED), earliest):
            position = Position(message.topic() or "", message.partition() or 0, message.offset() or 0)
            match _decoded(codec, message, position):
                case QuarantinedWebhook() as webhook if begin is None or webhook.received_at >= begin:
                    key = (position.topic, webhook.event_id)
                    copies = 1 + (entries[key].copies if key in entries else 0)
                    entries[key] = QuarantineEntry(webhook, position, copies)
                case Outcome(event_id=event_id) if (position.topic, event_id) in entries:
                    entries[position.topic, event_id].released = True
                case _:
                    continue
    except KafkaUnavailable as failure:
        raise CommandError(str(failure)) from failure
    return list(entries.values())


def _decoded(codec: "Codec", message: "Message", position: "Position") -> "Record":
    """Decode one record of the quarantine; a record that cannot be decoded is listed as unreadable."""
    from stream.avro.codec import Undecodable
    from stream.avro.registry import UnknownSchema
    from stream.events import Outcome, QuarantinedWebhook, ids

    try:
        record = codec.decode(message.value())
    except (Undecodable, UnknownSchema) as broken:
        record, detail = None, str(broken)
    else:
        detail = f"a {type(record).__name__} is not a quarantined webhook"
    if isinstance(record, QuarantinedWebhook | Outcome):
        return record
    return QuarantinedWebhook(
        event_id=ids.unreadable_record_id(*position),
        provider="unknown",
        mode="live",
        cause=UNREADABLE,
        detail=detail,
        verification="unsigned_allowed",
        received_at=message.timestamp()[1] * 1000,
        path="",
        headers={},
        raw=message.value() or b"",
    )


def _begin(since: str | None) -> int | None:
    """Return the value of --since in microseconds since 1970.

    Raises CommandError when it is not a time.
    """
    from runtime.management import Refused
    from stream.dead_letters import filters

    try:
        at = filters.parse({"since": since}).since
    except Refused as wrong:
        raise CommandError(f"--{wrong}.") from wrong
    return None if at is None else round(at.timestamp() * 1_000_000)


def _find(names: Iterable[str], entries: Iterable[QuarantineEntry]) -> list[QuarantineEntry]:
    """Return the entries with these event ids or providers' ids. A body that is in both topics is two entries.

    Raises CommandError when a name has no entry, or entries of several bodies.
    """
    from cli.clients.console import ambiguous_message
    from stream.events import provider_ids

    by_name: dict[str, list[QuarantineEntry]] = {}
    for entry in entries:
        for name in {entry.webhook.event_id, *provider_ids.of(entry.webhook)}:
            by_name.setdefault(name, []).append(entry)
    if missing := [name for name in dict.fromkeys(names) if name not in by_name]:
        raise CommandError(f"No quarantined webhook has the id {', '.join(missing)}.")
    found = {name: _prefer_unreleased(by_name[name]) for name in dict.fromkeys(names)}
    for name, candidates in found.items():
        if len({entry.webhook.event_id for entry in candidates}) > 1:
            raise CommandError(ambiguous_message(name, candidates, _line))
    return list({entry.position: entry for candidates in found.values() for entry in candidates}.values())


def _prefer_unreleased(candidates: list[QuarantineEntry]) -> list[QuarantineEntry]:
    """Drop released entries when there are several events and some of them are not released."""
    unreleased = [entry for entry in candidates if not entry.released]
    several = len({entry.webhook.event_id for entry in candidates}) > 1
    return unreleased if unreleased and several else candidates


def _line(entry: QuarantineEntry) -> str:
    webhook = entry.webhook
    return f"  {webhook.event_id}  {_time(webhook.received_at)}  {webhook.provider}  {webhook.cause}: {webhook.detail}"


def _matches(entry: QuarantineEntry, provider: str | None, cause: str | None) -> bool:
    return provider in (None, entry.webhook.provider) and cause in (None, entry.webhook.cause)


def _release(entries: list[QuarantineEntry], *, dry_run: bool) -> Iterable[Mapping[str, Any]]:
    from cli.clients import management

    for first in range(0, len(entries), BATCH):
        records = [entry.position._asdict() for entry in entries[first : first + BATCH]]
        body = {"records": records, "dryRun": dry_run}
        yield from management.post("gateway", "/quarantine/release", body)["results"]


def _result_line(result: Mapping[str, Any], *, dry_run: bool) -> str:
    name = result.get("id") or f"{result['topic']}/{result['partition']}/{result['offset']}"
    if result["released"]:
        return f"{name}: {'would go' if dry_run else 'went'} to {result['to']} as {result['eventId']}"
    return f"{name}: stays: {result['cause']}: {result['detail']}"


def _counts(entries: Iterable[QuarantineEntry]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.webhook.cause] = counts.get(entry.webhook.cause, 0) + 1
    return counts


def _received_at(entry: QuarantineEntry) -> int:
    return entry.webhook.received_at


def _time(at: int) -> str:
    """Return microseconds since 1970 as local time. A record that cannot be read may have any number there."""
    try:
        return f"{datetime.fromtimestamp(at / 1_000_000).astimezone():%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return "no time"
