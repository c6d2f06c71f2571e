"""The result of one check. Pure."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "wrong", "skipped"]
"""`skipped`: this machine's settings do not say how to check it. Only `wrong` changes the exit code."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one subject, what was found, and what to do about it; `remedy` is None when there is nothing."""

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
