"""`hookstream quarantine`: webhooks that were kept aside, why, and what can be handled today after all."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import confirm, environment, output
from local.messages import Trouble, say, say_all

if TYPE_CHECKING:
    from confluent_kafka import Message

    from stream.avro.codec import Codec
    from stream.events import QuarantinedWebhook, Record
    from stream.kafka.topic_reader import Position

app = typer.Typer(
    help="Webhooks that were kept aside: unreadable, unsupported, of the other mode, unverified.",
    no_args_is_help=True,
)
MINUTE_US = 60_000_000
AT_ONCE = 50
UNREADABLE = "unreadable_record"
"""The cause shown for a record in these topics that is none of theirs."""
SHOWN = "event_id provider mode cause detail verification path".split()

Provider = Annotated[str | None, typer.Option(help="Such as toss; else all of them.")]
Cause = Annotated[str | None, typer.Option(help="Such as unsupported_type, invalid_field or other_mode.")]
Since = Annotated[str | None, typer.Option(help="Received at or after a date (a day of UTC) or an instant.")]


@dataclass
class Kept:
    """A webhook that was kept aside, where its newest copy stands, how often it came, whether it was released since."""

    webhook: "QuarantinedWebhook"
    place: "Position"
    copies: int
    released: bool = False


@app.command("list")
def list_(
    provider: Provider = None,
    cause: Cause = None,
    since: Since = None,
    *,
    released: Annotated[bool, typer.Option("--released", help="Also those that were released.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 50,
) -> None:
    """Show what was kept aside and not released, the same body once."""
    found = [one for one in _read(since) if _is_wanted(one, provider, cause) and (released or not one.released)]
    table = output.table("id", "received", "provider", "cause", "detail", "times", "")
    for one in sorted(found, key=_received, reverse=True)[:limit]:
        webhook = one.webhook
        cells = (webhook.event_id, _time(webhook.received_at), webhook.provider, webhook.cause, webhook.detail)
        output.add(table, *cells, str(one.copies), "released" if one.released else "")
    if found:
        output.show(table)
    say(" · ".join(f"{count} {name}" for name, count in sorted(_counts(found).items())) or "nothing is kept aside")


@app.command()
def show(
    webhook: Annotated[
        str, typer.Argument(metavar="ID", help="An id, as `quarantine list` shows it, or its provider's.")
    ],
) -> None:
    """Show all of one: why it was kept, and its body, with card numbers, secrets and addresses masked."""
    from stream.events.redaction import masked_text, masked_value, redacted

    (kept,) = _named([webhook], _read(None))[:1]
    for name in SHOWN:
        say(f"{name}: {masked_text(str(getattr(kept.webhook, name)))}")
    say(f"received: {_time(kept.webhook.received_at)}, {kept.copies} times in all")
    say(f"stands: {kept.place.topic} partition {kept.place.partition} offset {kept.place.offset}")
    say(f"released: {'yes' if kept.released else 'no'}")
    say(f"headers: {json.dumps(masked_value(kept.webhook.headers), ensure_ascii=False)}")
    say_all(f"body: {json.dumps(redacted(kept.webhook.raw), ensure_ascii=False, indent=2)}")


@app.command()
def release(
    webhooks: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="These, by our ids or their providers'; else all that match."),
    ] = None,
    provider: Provider = None,
    cause: Cause = None,
    since: Since = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what could be released, and release nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, also for more than one.")] = False,
) -> None:
    """Let the gateway verify and read them again; what still cannot be read stays, and why is told.

    One that is named is released again if it was before: the same event, a duplicate to whoever has handled it.
    """
    if not (webhooks or provider or cause):
        raise Trouble("Say which: their ids, or --cause, or --provider.")
    found = _named(webhooks, _read(since)) if webhooks else [one for one in _read(since) if not one.released]
    wanted = sorted((one for one in found if _is_wanted(one, provider, cause)), key=_received)
    if not wanted:
        return say("nothing that is kept aside matches")
    would = [each for each in _ask(wanted, dry_run=True) if each["released"]]
    if would and not dry_run:
        confirm.sure(f"release {len(would)} webhooks", len(would), yes=yes)
    results = list(_ask(wanted, dry_run=dry_run))
    for each in results:
        say(_told(each, dry_run=dry_run))
    done = sum(each["released"] for each in results)
    say(f"{done} {'can be released' if dry_run else 'released'}, {len(results) - done} stay")


def _read(since: str | None) -> list[Kept]:
    """All that stands in the two topics, each body once."""
    from stream.avro.codec import Codec
    from stream.events import Outcome, QuarantinedWebhook, topics
    from stream.kafka.topic_reader import KafkaUnavailable, Position, read_all

    env = environment.read()
    environment.need(env, "KAFKA_BOOTSTRAP_SERVERS")
    codec = Codec(environment.registry(env))
    begin = _begin(since)
    earliest = None if begin is None else (begin - MINUTE_US) // 1000  # their clock and ours may differ
    kept: dict[tuple[str, str], Kept] = {}
    try:
        for message in read_all(environment.cluster(env), (topics.QUARANTINE, topics.UNVERIFIED), earliest):
            place = Position(message.topic() or "", message.partition() or 0, message.offset() or 0)
            match _decoded(codec, message, place):
                case QuarantinedWebhook() as webhook if begin is None or webhook.received_at >= begin:
                    before = kept.get((place.topic, webhook.event_id))
                    kept[place.topic, webhook.event_id] = Kept(webhook, place, 1 + (before.copies if before else 0))
                case Outcome(event_id=event_id) if (place.topic, event_id) in kept:
                    kept[place.topic, event_id].released = True
                case _:
                    continue
    except KafkaUnavailable as away:
        raise Trouble(str(away)) from away
    return list(kept.values())


def _decoded(codec: "Codec", message: "Message", place: "Position") -> "Record":
    """Decode one record of the quarantine; a record that cannot be decoded is listed as unreadable."""
    from stream.avro.codec import Undecodable
    from stream.avro.registry import UnknownSchema
    from stream.events import Outcome, QuarantinedWebhook, ids

    try:
        record = codec.decode(message.value())
    except (Undecodable, UnknownSchema) as broken:
        record, why = None, str(broken)
    else:
        why = f"a {type(record).__name__} is no webhook that was kept aside"
    if isinstance(record, QuarantinedWebhook | Outcome):
        return record
    return QuarantinedWebhook(
        event_id=ids.unreadable_record_id(*place),
        provider="unknown",
        mode="live",
        cause=UNREADABLE,
        detail=why,
        verification="unsigned_allowed",
        received_at=message.timestamp()[1] * 1000,
        path="",
        headers={},
        raw=message.value() or b"",
    )


def _begin(since: str | None) -> int | None:
    """Microseconds since 1970."""
    from runtime.management import Refused
    from stream.dead_letters import filters

    try:
        at = filters.wanted({"since": since}).since
    except Refused as wrong:
        raise Trouble(f"--{wrong}.") from wrong
    return None if at is None else round(at.timestamp() * 1_000_000)


def _named(ids: Iterable[str], kept: Iterable[Kept]) -> list[Kept]:
    """Those of these ids of ours or of their providers; a body that was kept in both topics is two.

    Raises Trouble when a provider's id names none, or several bodies.
    """
    from cli.clients.console import several
    from stream.events import provider_ids

    by_name: dict[str, list[Kept]] = {}
    for one in kept:
        for name in {one.webhook.event_id, *provider_ids.of(one.webhook)}:
            by_name.setdefault(name, []).append(one)
    if missing := [name for name in dict.fromkeys(ids) if name not in by_name]:
        raise Trouble(f"Nothing was kept aside as {', '.join(missing)}.")
    meant = {name: _clear(by_name[name]) for name in dict.fromkeys(ids)}
    for name, found in meant.items():
        if len({one.webhook.event_id for one in found}) > 1:
            raise Trouble(several(name, found, _line))
    return list({one.place: one for found in meant.values() for one in found}.values())


def _clear(found: list[Kept]) -> list[Kept]:
    """Those not yet released, where some of several were."""
    waiting = [one for one in found if not one.released]
    return waiting if waiting and len({one.webhook.event_id for one in found}) > 1 else found


def _line(one: Kept) -> str:
    webhook = one.webhook
    return f"  {webhook.event_id}  {_time(webhook.received_at)}  {webhook.provider}  {webhook.cause}: {webhook.detail}"


def _is_wanted(one: Kept, provider: str | None, cause: str | None) -> bool:
    return provider in (None, one.webhook.provider) and cause in (None, one.webhook.cause)


def _ask(wanted: list[Kept], *, dry_run: bool) -> Iterable[Mapping[str, Any]]:
    from cli.clients import management

    for first in range(0, len(wanted), AT_ONCE):
        places = [one.place._asdict() for one in wanted[first : first + AT_ONCE]]
        yield from management.post("gateway", "/quarantine/release", {"records": places, "dryRun": dry_run})["results"]


def _told(result: Mapping[str, Any], *, dry_run: bool) -> str:
    name = result.get("id") or f"{result['topic']}/{result['partition']}/{result['offset']}"
    if result["released"]:
        return f"{name}: {'would go' if dry_run else 'went'} to {result['to']} as {result['eventId']}"
    return f"{name}: stays: {result['cause']}: {result['detail']}"


def _counts(found: Iterable[Kept]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in found:
        counts[one.webhook.cause] = counts.get(one.webhook.cause, 0) + 1
    return counts


def _received(one: Kept) -> int:
    return one.webhook.received_at


def _time(at: int) -> str:
    try:
        return f"{datetime.fromtimestamp(at / 1_000_000).astimezone():%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return "no time"
