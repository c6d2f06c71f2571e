"""The result of one check. Pure."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "wrong", "skipped"]
"""`skipped`: the subject cannot be checked from this machine. Only `wrong` makes the exit code 1."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check for one subject: its state, a text about it, and what to do.

    `check` is the part that is checked, such as `brokers`; `remedy` is None if nothing is to be done.
    """

    check: str
    subject: str
    state: State
    found: str
    remedy: str | None = None


def ok(check: str, subject: str, found: str) -> Finding:
    """Return the finding that all is well."""
    return Finding(check, subject, "ok", found)


def wrong(check: str, subject: str, found: str, remedy: str) -> Finding:
    """Return the finding that something has to be corrected."""
    return Finding(check, subject, "wrong", found, remedy)


def warning(check: str, subject: str, found: str, remedy: str) -> Finding:
    """Return the finding that something works and should be corrected."""
    return Finding(check, subject, "warning", found, remedy)


def skipped(check: str, subject: str, found: str, remedy: str) -> Finding:
    """Return the finding that a check was not possible from here."""
    return Finding(check, subject, "skipped", found, remedy)
