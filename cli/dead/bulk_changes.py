"""`hookstream dead redrive` and `give-up`: verbs that change many events at once, in every service that has them."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Annotated, Any, NamedTuple

import typer

from cli import confirm
from cli.dead import event_lookup
from cli.dead import options as failed
from cli.dead.options import Cause, Order, Service, Since, Until
from local.messages import say

Events = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID]...", help="Only these, by our ids or their providers'; else all that match."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count them, and do nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask, also for more than one.")]


class Change(NamedTuple):
    """A verb that changes many.

    Its path, the status of those it is for, its answer's name for how many, what it asks before, what it says after.
    """

    path: str
    status: str
    counted: str
    verb: str
    done: str


REDRIVE = Change("/dead/redrive", "abandoned", "redriven", "re-open", "redriven")
DISMISS = Change("/dead/dismiss", "abandoned", "dismissed", "dismiss", "dismissed")
GIVE_UP = Change(
    "/dead/give-up",
    "retrying",
    "givenUp",
    "give up",
    "have their last try now; `hookstream dead list` shows what fails again",
)


def command(change_: Change) -> Callable[..., None]:
    """The verb, as typer takes it."""

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
        wanted = filters(change_, service, events, cause=cause, since=since, until=until, order=order)
        change(change_, service, wanted, {}, dry_run=dry_run, yes=yes)

    return run


def filters(change_: Change, service: str | None, events: list[str] | None, **asked: object) -> dict[str, Any]:
    """Return the filters with providers' ids replaced by event ids."""
    ids = event_lookup.event_ids(events or (), service, change_.status)
    return {name: value for name, value in {"id": ids, **asked}.items() if value}


def change(
    change_: Change,
    service: str | None,
    filters: dict[str, Any],
    more: Mapping[str, object],
    *,
    dry_run: bool,
    yes: bool,
) -> None:
    """Count those that are meant in every service, ask where they are several, do it, and say how many these were."""
    from cli.clients import management

    failed.check(**filters)

    def ask(one: str, *, dry: bool) -> Any:
        return management.post(one, change_.path, {"filters": filters, "dryRun": dry, **more})

    counted, troubles = management.each(failed.services(service), lambda one: ask(one, dry=True))
    matched = {name: said["matched"] for name, said in counted.items() if said["matched"]}
    for name, count in matched.items():
        say(f"{name}: {count} {change_.status}")
    if not matched and not troubles:
        say(f"nothing that is {change_.status} matches")
        troubles += _unknown(filters.get("id", ()), service)
    if matched and not dry_run:
        total = sum(matched.values())
        # One that was named is one, also where several services have it.
        events = set(filters.get("id", ()))
        confirm.sure(f"{change_.verb} {total} events", len(events) if events else total, yes=yes)
        done, others = management.each(matched, lambda one: ask(one, dry=False))
        troubles += others
        for name, said in done.items():
            say(f"{name}: {said[change_.counted]} {change_.done}")
    failed.end(troubles)


def _unknown(events: Iterable[str], service: str | None) -> list[str]:
    """Say what those that were named are instead; those nobody has heard of."""
    from cli.clients import management

    strange = []
    for event in events:
        ask = partial(management.get, path="/retry", id=event)
        known, troubles = management.each(failed.services(service), ask)
        for name, standing in known.items():
            say(f"{name}: {event} is {standing['outcome']}")
        strange += troubles or ([] if known else [f"No service has ever heard of {event}."])
    return strange
