"""Asks for confirmation before a command changes more than one thing."""

import sys

import typer

from local.messages import CommandError


def require_confirmation(action: str, count: int, *, yes: bool) -> None:
    """Return once `action` may be done: at once with `yes` or a `count` of at most 1, otherwise after a person agrees.

    `action` is shown to the person and completes "This will …"; `count` is the number of things it changes. Raises
    CommandError when a person must agree and standard input is not a terminal, typer.Exit(1) when the person declines.
    """
    if yes or count <= 1:
        return
    if not sys.stdin.isatty():
        raise CommandError(f"This would {action}. Pass --yes to do it, or --dry-run to see how many and which.")
    if not typer.confirm(f"This will {action}. Go on?"):
        raise typer.Exit(1)
