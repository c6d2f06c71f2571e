"""Options, checks and error texts that the commands about failed events share."""

import sys
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
    """Return the names of the services to call: `wanted`, or all that have a store if it is None.

    Raises CommandError when the wanted service has no store.
    """
    if wanted not in (None, *STORES):
        raise CommandError(f"There is no service {wanted} with a store. Use one of {', '.join(STORES)}.")
    return (wanted,) if wanted else STORES


def check_filters(**values: object) -> None:
    """Check filters of failed events by the rules of the services, without calling a service. None counts as not given.

    Raises CommandError, with the message that a service would answer, for a wrong value or an unknown filter.
    """
    from runtime.management.routes import RequestRefused
    from stream.dead_letters import filters

    try:
        filters.parse({name: value for name, value in values.items() if value is not None})
    except RequestRefused as wrong:
        raise CommandError(f"{str(wrong)[:1].upper()}{str(wrong)[1:]}.") from wrong


def raise_errors(errors: list[str]) -> None:
    """Raise the errors as one CommandError of several lines; return if there are none.

    Output is flushed first, so that the errors come after it.
    """
    if errors:
        sys.stdout.flush()
        raise CommandError("\n".join(errors))


def first_line(error: str) -> str:
    """Return the first line of an error, without the details below, such as the row that Postgres refused."""
    return error.partition("\n")[0]
