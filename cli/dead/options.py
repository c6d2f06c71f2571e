"""Options, checks and formats that the commands about failed events share."""

import sys
from datetime import datetime
from typing import Annotated

import typer

from local.messages import CommandError
from local.services import SERVICES

STORES = tuple(service.name for service in SERVICES if service.store)
WHEN = "A date (a day in UTC) or a timestamp such as 2026-02-03T09:00:00+09:00."

Id = Annotated[str, typer.Argument(metavar="ID", help="The event id that `dead list` shows, or the provider's id.")]
Service = Annotated[
    str | None,
    typer.Option(help="One service, such as payment. Default: all services.", autocompletion=lambda: list(STORES)),
]
Cause = Annotated[str | None, typer.Option(help="Text that the error contains. Case is ignored.")]
Since = Annotated[str | None, typer.Option(help=f"Last failure at or after this time. {WHEN}")]
Until = Annotated[str | None, typer.Option(help=f"Last failure before this time; a date includes its day. {WHEN}")]
Order = Annotated[str | None, typer.Option(help="Events of this order.")]


def services(wanted: str | None) -> tuple[str, ...]:
    """Return the services to call: the wanted one, or all that have a store.

    Raises CommandError when the wanted service has no store.
    """
    if wanted not in (None, *STORES):
        raise CommandError(f"There is no service {wanted} with a store. Use one of {', '.join(STORES)}.")
    return (wanted,) if wanted else STORES


def check_filters(**values: object) -> None:
    """Check filters with the services' own rules, before any service is called.

    Raises CommandError with the message that every service would answer.
    """
    from runtime.management.routes import RequestRefused
    from stream.dead_letters import filters

    try:
        filters.parse({name: value for name, value in values.items() if value is not None})
    except RequestRefused as wrong:
        raise CommandError(f"{str(wrong)[:1].upper()}{str(wrong)[1:]}.") from wrong


def raise_errors(errors: list[str]) -> None:
    """Raise the errors of the services as one CommandError, after all other output; return when there are none."""
    if errors:
        sys.stdout.flush()
        raise CommandError("\n".join(errors))


def first_line(error: str) -> str:
    """Return the first line of an error. `dead show` prints the rest, such as the row that Postgres refused."""
    return error.partition("\n")[0]


def local_time(timestamp: str | None) -> str:
    """Return a service's RFC 3339 timestamp in the time zone of this machine; empty for None."""
    return f"{datetime.fromisoformat(timestamp).astimezone():%Y-%m-%d %H:%M:%S}" if timestamp else ""
