"""`hookstream dead` and `retry`: events that failed, whichever service parked them, and what to do about them."""

import json
import sys
import time
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import typer

from cli import caution
from local.services import SERVICES
from local.telling import Trouble, say

app = typer.Typer(help="Events that failed or were given up: which, why, and again.", no_args_is_help=True)
STORES = tuple(service.name for service in SERVICES if service.store)
WHEN = "A date (a day of UTC) or an instant, such as 2026-02-03T09:00:00+09:00."
WIDE = 200  # ids are there to be copied: rather a line that the terminal wraps than one cut short
WATCHED_S, LOOK_S = 10.0, 0.2
SHOWN = (
    "service type orderId status attempts nextAttemptAt error topic partition offset key failedAt lastFailedAt"
).split()

Id = Annotated[str, typer.Argument(metavar="ID", help="An event's id, as `dead list` shows it.")]
Service = Annotated[str | None, typer.Option(help="Such as payment; else all of them.")]
Cause = Annotated[str | None, typer.Option(help="A part of the error, in capitals or not.")]
Since = Annotated[str | None, typer.Option(help=f"Failed last at or after this. {WHEN}")]
Until = Annotated[str | None, typer.Option(help=f"Failed last before this; a date is included. {WHEN}")]
Order = Annotated[str | None, typer.Option(help="Those about this order.")]


@app.command("list")
def list_(
    service: Service = None,
    cause: Cause = None,
    since: Since = None,
    until: Until = None,
    order: Order = None,
    status: Annotated[str | None, typer.Option(help="retrying or abandoned; else both.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many of a service, the newest first.")] = 50,
) -> None:
    """Show the events that failed: those tried again, and those given up."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from cli import management

    asked = {"cause": cause, "since": since, "until": until, "order": order, "status": status, "limit": limit}
    said, troubles = management.each(_services(service), lambda one: management.get(one, "/dead", **asked))
    table = Table("service", "id", "type", "order", "status", "tries", "next try", "error", box=None)
    for name, answer in said.items():
        for event in answer["events"]:
            about = (event["type"] or "undecodable", event["orderId"] or event["key"] or "", event["status"])
            cells = (name, event["id"], *about, str(event["attempts"]), _time(event["nextAttemptAt"]))
            table.add_row(*(Text(cell) for cell in cells), Text(_line(event["error"])))
    if table.row_count:
        Console(width=max(Console().width, WIDE), soft_wrap=True).print(table)
    totals = {name: answer["counts"] for name, answer in said.items() if any(answer["counts"].values())}
    for name, counts in totals.items():
        say(f"{name}: {counts['abandoned']} abandoned, {counts['retrying']} retrying in all")
    if said and not totals:
        say("nothing fails in those that answer" if troubles else "nothing fails")
    _end(troubles)


@app.command()
def show(event: Id, service: Service = None) -> None:
    """Show all of one event: where it stood, why it failed, what it says (card numbers and addresses masked)."""
    from cli import management

    said, troubles = management.each(_services(service), lambda one: management.get(one, "/dead/show", id=event))
    for answer in said.values():
        say(f"id: {answer['id']}")
        for name in SHOWN:
            if answer[name] is not None:
                say(f"{name}: {_time(answer[name]) if name.endswith('At') else answer[name]}")
        if "record" in answer:
            say(f"record: {json.dumps(answer['record'], ensure_ascii=False, indent=2)}")
        else:
            say(f"undecodable: {answer['undecodable']}\nhex: {answer['hex']}")
    _end(troubles)
    if not said:
        raise Trouble(f"No service has a failed event {event}.")


Events = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Only these; else all that match.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count them, and do nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask, also for more than one.")]


@app.command()
def redrive(
    events: Events = None,
    service: Service = None,
    cause: Cause = None,
    since: Since = None,
    until: Until = None,
    order: Order = None,
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Re-open events that were given up, their tries back at zero; twice changes nothing twice."""
    filters = _filters(id=events, cause=cause, since=since, until=until, order=order)
    _change(Change("/dead/redrive", "abandoned", "redriven", "re-open"), service, filters, dry_run=dry_run, yes=yes)


@app.command()
def give_up(
    events: Events = None,
    service: Service = None,
    cause: Cause = None,
    since: Since = None,
    until: Until = None,
    order: Order = None,
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Give up events that still fail, after one last try at once; what was given up can be redriven later."""
    filters = _filters(id=events, cause=cause, since=since, until=until, order=order)
    _change(Change("/dead/give-up", "retrying", "givenUp", "give up"), service, filters, dry_run=dry_run, yes=yes)


class Change(NamedTuple):
    """A verb that changes many: its path, the status of those it is for, its answer's name for how many, its name."""

    path: str
    status: str
    counted: str
    verb: str


def _filters(**asked: object) -> dict[str, object]:
    return {name: value for name, value in asked.items() if value}


def _change(change: Change, service: str | None, filters: dict[str, Any], *, dry_run: bool, yes: bool) -> None:
    """Count those that are meant in every service, ask where they are several, do it, and say how many these were."""
    from cli import management

    def ask(one: str, *, dry: bool) -> Any:
        return management.post(one, change.path, {"filters": filters, "dryRun": dry})

    counted, troubles = management.each(_services(service), lambda one: ask(one, dry=True))
    matched = {name: said["matched"] for name, said in counted.items() if said["matched"]}
    for name, count in matched.items():
        say(f"{name}: {count} {change.status}")
    if not matched and not troubles:
        say(f"nothing that is {change.status} matches")
    if matched and not dry_run:
        total = sum(matched.values())
        # One that was named is one, also where several services have it.
        events = set(filters.get("id", ()))
        caution.sure(f"{change.verb} {total} events", len(events) if events else total, yes=yes)
        done, more = management.each(matched, lambda one: ask(one, dry=False))
        troubles += more
        for name, said in done.items():
            say(f"{name}: {said[change.counted]} {DONE[change.counted]}")
    _end(troubles)


DONE = {"redriven": "redriven", "givenUp": "have their last try now"}


def retry(event: Id) -> None:
    """Try a failed event again now, whichever service it failed in; exit code 1 when it fails again."""
    from cli import management

    said, troubles = management.each(STORES, lambda one: management.get(one, "/retry", id=event))
    if not said:
        _end(troubles)
        raise Trouble(f"No service has ever heard of {event}.")
    failing = [name for name, answer in said.items() if answer["outcome"] == "retrying"]
    for name in failing or sorted(said, key=lambda name: _weight(said[name]))[:1]:
        try:
            begun = management.post(name, "/retry", {"id": event})
        except management.No as no:
            raise Trouble(no.message) from no
        say(f"{name}: {_word(begun['attempt'] - 1)}, tries: {begun['attempt'] - 1}: {_line(begun['error'])}")
        troubles += _watch(name, event, begun["attempt"])
    _end(troubles)


def _watch(service: str, event: str, attempt: int) -> list[str]:
    """Wait for what becomes of this try; the troubles with it."""
    from cli import management

    end = time.monotonic() + WATCHED_S
    while time.monotonic() < end:
        now = management.get(service, "/retry", id=event)
        if now["outcome"] in ("processed", "late"):
            say(f"{service}: PROCESSED, tries: {attempt}")
            return []
        if now["outcome"] == "abandoned":
            return [f"{service}: ABANDONED, tries: {now['attempts']}: {_line(now['error'])}"]
        if now.get("attempts", 0) >= attempt:
            due = _time(now["nextAttemptAt"])
            return [f"{service}: {_word(now['attempts'])}, tries: {now['attempts']}, next {due}: {_line(now['error'])}"]
        time.sleep(LOOK_S)
    return [f"{service}: it is due, and not tried yet; `hookstream dead show {event}` tells when it was."]


def _word(attempts: int) -> str:
    """Contract E's status of an event that was tried so often and is tried again."""
    return "RETRYING" if attempts > 1 else "FAILED"


def _line(error: str) -> str:
    """The first line of an error; `dead show` has the rest, such as the row that was refused."""
    return error.partition("\n")[0]


def _weight(standing: dict[str, Any]) -> tuple[bool, bool]:
    """Of services with which nothing can be retried, the one that has most to say of it comes first."""
    return "attempts" not in standing, standing["outcome"] in ("processed", "late", "duplicate")


def _services(wanted: str | None) -> tuple[str, ...]:
    if wanted not in (None, *STORES):
        raise Trouble(f"There is no service {wanted} with a store; there are {', '.join(STORES)}.")
    return (wanted,) if wanted else STORES


def _end(troubles: list[str]) -> None:
    """What could not be asked or done is said last, and is exit code 1."""
    if troubles:
        sys.stdout.flush()
        raise Trouble("\n".join(troubles))


def _time(said: str | None) -> str:
    return f"{datetime.fromisoformat(said).astimezone():%Y-%m-%d %H:%M:%S}" if said else ""
