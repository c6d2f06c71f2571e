"""`hookstream dead redrive`, `last-retry` and `dismiss`: commands that change many events in all services."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Annotated, NamedTuple

import typer

from cli import confirm
from cli.dead import event_lookup, options
from cli.dead.options import Cause, Order, Service, Since, Until
from local.messages import say
from runtime.json_value import JsonValue

Events = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID]...", help="Event ids or providers' ids. Default: all events that match the options."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count the events and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]


class BulkChange(NamedTuple):
    """A change of many failed events: the management API's request that makes it, and the texts of its command.

    `path` is that of the request, `status` the status that an event must have to be changed, and `count_field` the
    field of the response with the number of changed events. `verb` completes "This will … 2 events", `done` completes
    "payment: 2 …".
    """

    path: str
    status: str
    count_field: str
    verb: str
    done: str


REDRIVE = BulkChange("/dead/redrive", "dead", "redriven", "re-open", "redriven")
DISMISS = BulkChange("/dead/dismiss", "dead", "dismissed", "dismiss", "dismissed")
LAST_RETRY = BulkChange(
    "/dead/last-retry",
    "retrying",
    "lastRetries",
    "retry for the last time",
    "have their last retry now; `hookstream dead list` shows those that fail again",
)


def command(change: BulkChange) -> Callable[..., None]:
    """Return a typer command that applies the change to the events that its arguments and options select."""

    def run(
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
        selected = filters(change, service, events, cause=cause, since=since, until=until, order=order)
        apply(change, service, selected, {}, dry_run=dry_run, yes=yes)

    return run


def filters(
    change: BulkChange, service: str | None, events: list[str] | None, **values: object
) -> dict[str, JsonValue]:
    """Return the filters of a request: those of `values` that are set, and under `id` the event ids of `events`.

    A provider's id in `events` is replaced by the event id, which is printed. Raises CommandError when a provider's id
    names no failed event of `service` (None: of any service), or several, or no service that answers has one.
    """
    ids = event_lookup.event_ids(events or (), service, change.status)
    return {name: value for name, value in {"id": ids, **values}.items() if value}


def apply(
    change: BulkChange,
    service: str | None,
    filters: dict[str, JsonValue],
    fields: Mapping[str, object],
    *,
    dry_run: bool,
    yes: bool,
) -> None:
    """Count and print the matching events in `service` (None: in every service), ask for confirmation, and change them.

    A single event needs no confirmation. With `dry_run` nothing is changed. If no event matches, the outcome of each
    event in `filters["id"]` is printed instead. `fields` are added to the request. Raises CommandError before any call
    when a filter is wrong, and after the other services are changed when a service failed or knows no such event; as
    `confirm.require_confirmation` does when nobody agrees.
    """
    from cli.clients import management

    options.check_filters(**filters)

    def request(name: str, *, dry: bool) -> JsonValue:
        return management.post(name, change.path, {"filters": filters, "dryRun": dry, **fields})

    counted, errors = management.call_each(options.services(service), lambda name: request(name, dry=True))
    matched = {name: response["matched"] for name, response in counted.items() if response["matched"]}
    for name, count in matched.items():
        say(f"{name}: {count} {change.status}")
    if not matched and not errors:
        say(f"no event that is {change.status} matches")
        errors += _print_outcomes(filters.get("id", ()), service)
    if matched and not dry_run:
        total = sum(matched.values())
        # An event named by its id counts once, even when several services have it.
        events = set(filters.get("id", ()))
        confirm.require_confirmation(f"{change.verb} {total} events", len(events) if events else total, yes=yes)
        done, failed = management.call_each(matched, lambda name: request(name, dry=False))
        errors += failed
        for name, response in done.items():
            say(f"{name}: {response[change.count_field]} {change.done}")
    options.raise_errors(errors)


def _print_outcomes(events: Iterable[str], service: str | None) -> list[str]:
    """Print the outcome of these events in each service; return errors of services, and one for each unknown event."""
    from cli.clients import management

    errors = []
    for event in events:
        get_outcome = partial(management.get, path="/retry", id=event)
        known, failed = management.call_each(options.services(service), get_outcome)
        for name, state in known.items():
            say(f"{name}: {event} is {state['outcome']}")
        errors += failed or ([] if known else [f"No service knows the event {event}."])
    return errors
