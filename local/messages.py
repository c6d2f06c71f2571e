"""Prints messages of the local stack and the command line; control characters are shown as text."""

import re
import sys

from runtime.plain_text import plain, plain_line


class Trouble(Exception):
    """What only a person can put right: the message says what happened and what to do."""


def without_password(url: str) -> str:
    """The URL as people may see it."""
    return re.sub(r"(?<=://)[^/@]*@", "…@", url)


def say(line: str) -> None:
    """Print one line, flushed, because a pipe or a log file may be listening."""
    print(plain_line(line), flush=True)  # noqa: T201 (this is the one place that talks)


def say_all(text: str) -> None:
    """Print text of several lines."""
    print(plain(text), flush=True)  # noqa: T201


def complain(trouble: Trouble) -> None:
    """Print a trouble to standard error."""
    sys.stderr.write(f"{plain(str(trouble))}\n")
