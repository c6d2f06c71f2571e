"""Prints messages of the local stack and the command line; control characters are shown as text."""

import sys

from runtime.plain_text import plain, plain_line


class CommandError(Exception):
    """An error that a person can correct. The message says what happened and what to do; no traceback is printed."""


def say(line: str) -> None:
    """Print one line and flush it, because standard output may be a pipe or a log file."""
    print(plain_line(line), flush=True)  # noqa: T201 (the only place that prints)


def say_all(text: str) -> None:
    """Print text of several lines and flush it."""
    print(plain(text), flush=True)  # noqa: T201


def print_error(error: Exception) -> None:
    """Print an error to standard error."""
    sys.stderr.write(f"{plain(str(error))}\n")
