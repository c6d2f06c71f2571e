"""`hookstream dead`: lists events that failed in any service; redrives, retries a last time or dismisses them."""

import json
from collections.abc import Mapping
from typing import Annotated

import typer

from cli import local_time, output
from cli.dead import bulk_changes, event_lookup, options
from cli.dead.options import Cause, Id, Order, Service, Since, Until
from cli.output import Json
from local.messages import CommandError, say, say_all
from runtime.json_value import JsonValue

app = typer.Typer(help="List, redrive and dismiss events that failed.", no_args_is_help=True)
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
    status: Annotated[str | None, typer.Option(help="retrying, dead or dismissed. Default: retrying and dead.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Events to show of each service, newest first.")] = 50,
    *,
    as_json: Json = False,
) -> None:
    """List failed events: retrying and dead ones, or with --status dismissed those that were dismissed."""
    from cli.clients import management

    filters = {"cause": cause, "since": since, "until": until, "order": order, "status": status}
    options.check_filters(**filters)
    responses, errors = management.call_each(
        options.services(service), lambda name: management.get(name, "/dead", **filters, limit=limit)
    )
    if as_json:
        _say_events(responses, limit)
        return options.raise_errors(errors)
    table = output.table("service", "id", "type", "order", "status", "tries", "next try", "error")
    for name, response in responses.items():
        for event in response["events"]:
            about = (event["type"] or "undecodable", event["orderId"] or event["key"] or "", event["status"])
            cells = (name, event["id"], *about, str(event["attempts"]), local_time.of_text(event["nextAttemptAt"]))
            dismissal = f"dismissed: {event['dismissedBecause']}: " if event["dismissedBecause"] else ""
            output.add(table, *cells, dismissal + options.first_line(event["error"]))
    if table.rows:
        output.show(table)
    totals = {name: response["counts"] for name, response in responses.items() if any(response["counts"].values())}
    for name, counts in totals.items():
        dismissed = f", {counts['dismissed']} dismissed" if counts["dismissed"] else ""
        say(f"{name}: {counts['dead']} dead, {counts['retrying']} retrying in total{dismissed}")
    if responses and not totals:
        say("no failed events in the services that answered" if errors else "no failed events")
    return options.raise_errors(errors)


def _say_events(responses: Mapping[str, JsonValue], limit: int) -> None:
    """Print the events of all services as one list of JSON, and the number of events in each status by service."""
    cut = sorted(name for name, response in responses.items() if len(response["events"]) == limit)
    note = f"of {', '.join(cut)} there may be more: pass a --limit above {limit}" if cut else None
    events = [{"service": name, **event} for name, response in responses.items() for event in response["events"]]
    output.say_list(
        "events", events, note=note, counts={name: response["counts"] for name, response in responses.items()}
    )


@app.command()
def show(event: Id, service: Service = None) -> None:
    """Show one failed event, in each service that has it: its position, its error, and its record.

    Card numbers, secrets and addresses in the record are masked.
    """
    from cli.clients import management

    (event,) = event_lookup.event_ids([event], service)
    responses, errors = management.call_each(
        options.services(service), lambda name: management.get(name, "/dead/show", id=event)
    )
    for response in responses.values():
        say(f"id: {response['id']}")
        for name in SHOWN:
            if response[name] is not None:
                say(f"{name}: {local_time.of_text(response[name]) if name.endswith('At') else response[name]}")
        if "record" in response:
            say_all(f"record: {json.dumps(response['record'], ensure_ascii=False, indent=2)}")
        else:
            say(f"undecodable: {response['undecodable']}")
            say(f"hex: {response['hex']}")
    options.raise_errors(errors)
    if not responses:
        raise CommandError(f"No service has a failed event {event}.")


REDRIVE = "Re-open dead events with their tries reset to zero. Repeating the command changes nothing more."
LAST_RETRY = "Give retrying events one last try now; those that fail are dead, and can be redriven later."
app.command("redrive", help=REDRIVE)(bulk_changes.command(bulk_changes.REDRIVE))
app.command("last-retry", help=LAST_RETRY)(bulk_changes.command(bulk_changes.LAST_RETRY))


@app.command()
def dismiss(
    because: Annotated[str, typer.Option(help="Why the events can never be processed. It is stored and logged.")],
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
    """Dismiss dead events that can never be processed: they are counted separately and no longer raise the alert."""
    filters = bulk_changes.filters(
        bulk_changes.DISMISS, service, events, cause=cause, since=since, until=until, order=order
    )
    if not filters:
        raise CommandError("Say which events: pass their ids, or --cause, --order, --since or --until.")
    bulk_changes.apply(bulk_changes.DISMISS, service, filters, {"because": because}, dry_run=dry_run, yes=yes)
