"""Asks before much is done: on a terminal; elsewhere the command must say so itself."""

import sys

import typer

from local.messages import Trouble


def sure(what: str, count: int, *, yes: bool) -> None:
    """Return when `count` of `what` may be done: one always may, more when the person says so.

    Raises Trouble when there is nobody to ask, typer.Exit when the person says no.
    """
    if yes or count <= 1:
        return
    if not sys.stdin.isatty():
        raise Trouble(f"This would {what}: say --yes, or --dry-run to see how many and which.")
    if not typer.confirm(f"This will {what}. Go on?"):
        raise typer.Exit(1)
