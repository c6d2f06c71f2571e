"""`hookstream quarantine`: lists quarantined webhooks with their causes, and releases those that can now be read."""

import json
from collections.abc import Iterable, Mapping
from typing import Annotated

import typer

from cli import confirm, local_time, output
from cli.clients import quarantine
from cli.clients.quarantine import QuarantineEntry
from cli.output import Json
from local.messages import CommandError, say, say_all
from runtime import clock
from runtime.json_value import JsonValue
from runtime.plain_text import counted

app = typer.Typer(
    help="Quarantined webhooks: genuine ones that could not be processed, and unverified ones.",
    no_args_is_help=True,
)
BATCH = 50
"""The most records that the gateway accepts in one release request."""
SHOWN = "event_id provider mode cause detail verification path".split()

Provider = Annotated[str | None, typer.Option(help="One provider, such as toss. Default: all providers.")]
Cause = Annotated[str | None, typer.Option(help="One cause, such as unsupported_type, invalid_field or other_mode.")]
Since = Annotated[str | None, typer.Option(help="Received at or after a date (a day in UTC) or a timestamp.")]


@app.command("list")
def list_(
    provider: Provider = None,
    cause: Cause = None,
    since: Since = None,
    *,
    released: Annotated[bool, typer.Option("--released", help="Include webhooks that were released.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Webhooks to show, newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """List quarantined webhooks that were not released. A body that was posted several times is listed once."""
    found = [
        entry
        for entry in quarantine.read(since)
        if _matches(entry, provider, cause) and (released or not entry.released)
    ]
    newest = sorted(found, key=_received_at, reverse=True)[:limit]
    if as_json:
        note = output.cut_note(len(newest), len(found))
        return output.say_list("webhooks", map(_summary, newest), note=note, counts=_counts(found))
    table = output.table("id", "received", "provider", "cause", "detail", "times", "")
    for entry in newest:
        webhook = entry.webhook
        cells = (
            webhook.event_id,
            local_time.of_micros(webhook.received_at),
            webhook.provider,
            webhook.cause,
            webhook.detail,
        )
        output.add(table, *cells, str(entry.copies), "released" if entry.released else "")
    if found:
        output.show(table)
    say(" · ".join(f"{count} {cause}" for cause, count in sorted(_counts(found).items())) or "nothing is quarantined")
    return None


@app.command()
def show(
    webhook: Annotated[
        str, typer.Argument(metavar="ID", help="The id that `quarantine list` shows, or the provider's id.")
    ],
) -> None:
    """Show one quarantined webhook: its cause and its body, with card numbers, secrets and addresses masked."""
    from stream.events.text.redaction import masked_text, masked_value, redacted

    entry = quarantine.find([webhook], quarantine.read(None))[0]
    for name in SHOWN:
        say(f"{name}: {masked_text(str(getattr(entry.webhook, name)))}")
    say(f"received: {local_time.of_micros(entry.webhook.received_at)}, {counted(entry.copies, 'time')} in all")
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
    """Let the gateway verify and translate webhooks again, and publish them for processing.

    Webhooks that fail again stay quarantined, and the cause is printed. A webhook that is named by its id is released
    even when it was released before: it becomes the same event, a duplicate for services that have processed it.
    """
    if not (webhooks or provider or cause):
        raise CommandError("Say which webhooks: pass their ids, or --cause or --provider.")
    found = (
        quarantine.find(webhooks, quarantine.read(since))
        if webhooks
        else [entry for entry in quarantine.read(since) if not entry.released]
    )
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
    staying = len(results) - done
    say(f"{done} {'can be released' if dry_run else 'released'}, {staying} {'stays' if staying == 1 else 'stay'}")


def _summary(entry: QuarantineEntry) -> dict[str, JsonValue]:
    from stream.events.text.redaction import masked_text

    webhook = entry.webhook
    return {
        "id": webhook.event_id,
        "receivedAt": clock.micros_text(webhook.received_at),
        "provider": webhook.provider,
        "cause": webhook.cause,
        "detail": masked_text(webhook.detail),
        "copies": entry.copies,
        "released": entry.released,
        **entry.position._asdict(),
    }


def _matches(entry: QuarantineEntry, provider: str | None, cause: str | None) -> bool:
    return provider in (None, entry.webhook.provider) and cause in (None, entry.webhook.cause)


def _release(entries: list[QuarantineEntry], *, dry_run: bool) -> Iterable[Mapping[str, JsonValue]]:
    from cli.clients import management

    for first in range(0, len(entries), BATCH):
        records = [entry.position._asdict() for entry in entries[first : first + BATCH]]
        body = {"records": records, "dryRun": dry_run}
        yield from management.post("gateway", "/quarantine/release", body)["results"]


def _result_line(result: Mapping[str, JsonValue], *, dry_run: bool) -> str:
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
