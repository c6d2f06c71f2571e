"""`hookstream dead`: events that failed, whichever service parked them: which, why, and what to do about them."""

import json
from typing import Annotated

import typer

from cli import output
from cli.dead import bulk_changes, event_lookup
from cli.dead import options as failed
from cli.dead.options import Cause, Id, Order, Service, Since, Until
from local.messages import Trouble, say, say_all

app = typer.Typer(help="Events that failed or were given up: which, why, and again.", no_args_is_help=True)
SHOWN = (
    "service type orderId status attempts nextAttemptAt error topic partition offset key failedAt lastFailedAt "
    "dismissedBecause dismissedAt"
).split()


@app.command("list")
def list_(
    service: Service = None,
    cause: Cause = None,
    since: Since = None,
    until: Until = None,
    order: Order = None,
    status: Annotated[str | None, typer.Option(help="retrying, abandoned or dismissed; else the first two.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many of a service, the newest first.")] = 50,
) -> None:
    """Show the events that failed: those tried again, and those given up; with --status dismissed those closed."""
    from cli.clients import management

    filters = {"cause": cause, "since": since, "until": until, "order": order, "status": status}
    failed.check(**filters)
    said, troubles = management.each(
        failed.services(service), lambda one: management.get(one, "/dead", **filters, limit=limit)
    )
    table = output.table("service", "id", "type", "order", "status", "tries", "next try", "error")
    for name, answer in said.items():
        for event in answer["events"]:
            about = (event["type"] or "undecodable", event["orderId"] or event["key"] or "", event["status"])
            cells = (name, event["id"], *about, str(event["attempts"]), failed.time(event["nextAttemptAt"]))
            closed = f"dismissed: {event['dismissedBecause']}: " if event["dismissedBecause"] else ""
            output.add(table, *cells, closed + failed.line(event["error"]))
    if table.row_count:
        output.show(table)
    totals = {name: answer["counts"] for name, answer in said.items() if any(answer["counts"].values())}
    for name, counts in totals.items():
        closed = f", {counts['dismissed']} dismissed" if counts["dismissed"] else ""
        say(f"{name}: {counts['abandoned']} abandoned, {counts['retrying']} retrying in all{closed}")
    if said and not totals:
        say("nothing fails in those that answer" if troubles else "nothing fails")
    failed.end(troubles)


@app.command()
def show(event: Id, service: Service = None) -> None:
    """Show all of one event: where it stood, why it failed, what it says (card numbers and addresses masked)."""
    from cli.clients import management

    (event,) = event_lookup.event_ids([event], service)
    said, troubles = management.each(failed.services(service), lambda one: management.get(one, "/dead/show", id=event))
    for answer in said.values():
        say(f"id: {answer['id']}")
        for name in SHOWN:
            if answer[name] is not None:
                say(f"{name}: {failed.time(answer[name]) if name.endswith('At') else answer[name]}")
        if "record" in answer:
            say_all(f"record: {json.dumps(answer['record'], ensure_ascii=False, indent=2)}")
        else:
            say(f"undecodable: {answer['undecodable']}")
            say(f"hex: {answer['hex']}")
    failed.end(troubles)
    if not said:
        raise Trouble(f"No service has a failed event {event}.")


REDRIVE = "Re-open events that were given up, their tries back at zero; twice changes nothing twice."
GIVE_UP = "Give up events that still fail, after one last try at once; what was given up can be redriven later."
app.command("redrive", help=REDRIVE)(bulk_changes.command(bulk_changes.REDRIVE))
app.command("give-up", help=GIVE_UP)(bulk_changes.command(bulk_changes.GIVE_UP))


@app.command()
def dismiss(
    because: Annotated[str, typer.Option(help="Why it can never be handled; kept with it, and logged.")],
    events: bulk_changes.Events = None,
    service: Service = None,
    cause: Cause = None,
    since: Since = None,
    until: Until = None,
    order: Order = None,
    *,
    dry_run: bulk_changes.DryRun = False,
    yes: bulk_changes.Yes = False,
) -> None:
    """Close abandoned events that can never be handled: they are counted apart, and no alarm is kept up for them."""
    filters = bulk_changes.filters(
        bulk_changes.DISMISS, service, events, cause=cause, since=since, until=until, order=order
    )
    if not filters:
        raise Trouble("Say which: their ids, or --cause, --order, --since or --until.")
    bulk_changes.change(bulk_changes.DISMISS, service, filters, {"because": because}, dry_run=dry_run, yes=yes)
