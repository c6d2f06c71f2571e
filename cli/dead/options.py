"""What the verbs about failed events share: which services are asked, what may be said of the events, their words."""

import sys
from datetime import datetime
from typing import Annotated

import typer

from local.messages import Trouble
from local.services import SERVICES

STORES = tuple(service.name for service in SERVICES if service.store)
WHEN = "A date (a day of UTC) or an instant, such as 2026-02-03T09:00:00+09:00."

Id = Annotated[str, typer.Argument(metavar="ID", help="An event's id, as `dead list` shows it, or its provider's.")]
Service = Annotated[str | None, typer.Option(help="Such as payment; else all of them.")]
Cause = Annotated[str | None, typer.Option(help="A part of the error, in capitals or not.")]
Since = Annotated[str | None, typer.Option(help=f"Failed last at or after this. {WHEN}")]
Until = Annotated[str | None, typer.Option(help=f"Failed last before this; a date is included. {WHEN}")]
Order = Annotated[str | None, typer.Option(help="Those about this order.")]


def services(wanted: str | None) -> tuple[str, ...]:
    """The services to ask.

    Raises Trouble for one that has no store.
    """
    if wanted not in (None, *STORES):
        raise Trouble(f"There is no service {wanted} with a store; there are {', '.join(STORES)}.")
    return (wanted,) if wanted else STORES


def check(**asked: object) -> None:
    """Find a typing error before any service is asked.

    Raises Trouble with what the services would all say.
    """
    from runtime.management import Refused
    from stream.dead_letters import filters

    try:
        filters.wanted({name: value for name, value in asked.items() if value is not None})
    except Refused as wrong:
        raise Trouble(f"{str(wrong)[:1].upper()}{str(wrong)[1:]}.") from wrong


def end(troubles: list[str]) -> None:
    """What could not be asked or done is said last, and is exit code 1."""
    if troubles:
        sys.stdout.flush()
        raise Trouble("\n".join(troubles))


def line(error: str) -> str:
    """The first line of an error; `dead show` has the rest, such as the row that was refused."""
    return error.partition("\n")[0]


def time(said: str | None) -> str:
    """An instant of a service's, in the person's own zone."""
    return f"{datetime.fromisoformat(said).astimezone():%Y-%m-%d %H:%M:%S}" if said else ""
