"""The grouping of dead events into issues, and the state of an issue. Pure.

The state depends only on the set of changes of the issue, in whatever order the console read them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from console.domain import REPEATS, OutcomeReport, report_order
from stream.events import ids
from stream.events.text.redaction import masked_text
from stream.store.waiting import OVERDUE

State = Literal["open", "acknowledged", "resolved"]
STATES: tuple[State, ...] = ("open", "acknowledged", "resolved")
Kind = Literal["died", "acknowledged", "resolved"]
KINDS: tuple[Kind, ...] = ("died", "acknowledged", "resolved")
"""The kinds of changes, in the order in which changes at the same time apply: a person acts on a death after it."""
IssueChange = tuple[int, Kind]
"""A time (microseconds since 1970 UTC), and the kind of the change: an event died, or a person acted."""

TRANSITIONS: dict[tuple[State | None, Kind], State | None] = {
    (None, "died"): "open",
    (None, "acknowledged"): None,
    (None, "resolved"): None,
    ("open", "died"): "open",
    ("open", "acknowledged"): "acknowledged",
    ("open", "resolved"): "resolved",
    ("acknowledged", "died"): "acknowledged",
    ("acknowledged", "acknowledged"): "acknowledged",
    ("acknowledged", "resolved"): "resolved",
    ("resolved", "died"): "open",
    ("resolved", "acknowledged"): "resolved",
    ("resolved", "resolved"): "resolved",
}
"""The next state for each state and kind of change. The state None is that before the first death."""

MAX_LINE = 200
"""The most characters of a signature's line."""
OTHER = "other"
"""The cause of an error that begins with no name of an exception."""
_CAUSE = re.compile(r"([A-Za-z_][\w.]*(?: \([0-9A-Z]{5}\))?): *")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,:-]\d+)*")


@dataclass(frozen=True, slots=True)
class Signature:
    """The key of an issue, which all its dead events share.

    `cause` is the exception that the error begins with, `overdue`, or OTHER. `line` is the rest of the error's first
    line, with an ellipsis for each number and id, because those differ between events.
    """

    service: str
    cause: str
    line: str

    @property
    def issue_id(self) -> str:
        """The id of the issue: a UUID made of the signature."""
        return ids.uuid5(f"issue\n{self.service}\n{self.cause}\n{self.line}")


def signature(service: str, error: str | None) -> Signature:
    """Return the signature of an event that is dead in `service` because of `error`."""
    if error == OVERDUE:
        return Signature(service, "overdue", OVERDUE)
    first = (error or "").strip().partition("\n")[0]
    match = _CAUSE.match(first)
    cause, line = (match[1], first[match.end() :]) if match else (OTHER, first)
    return Signature(service, cause, _NUMBER.sub("…", _UUID.sub("…", masked_text(line)))[:MAX_LINE].strip())


@dataclass(frozen=True, slots=True)
class Death:
    """One event's part in an issue.

    `first_died_at` and `died_at` are when the event first and last died of this error (microseconds since 1970 UTC): a
    redrive moves only the latter. `is_dead` is False once the event has another outcome in that service.
    """

    signature: Signature
    first_died_at: int
    died_at: int
    is_dead: bool


def deaths(reports: Iterable[OutcomeReport]) -> list[Death]:
    """Return a death for each issue to which one event belongs; `reports` are all outcomes of the event.

    After a redrive the event may die of another error. It then belongs to both issues, and is dead only in the second.
    So in each service at most one death has `is_dead`. Empty if the event never died.
    """
    found: dict[Signature, Death] = {}
    relevant = [report for report in reports if report.outcome not in REPEATS]
    for service in {report.service for report in relevant}:
        in_order = sorted((report for report in relevant if report.service == service), key=report_order)
        for report in in_order:
            if report.outcome == "dead":
                common = signature(service, report.error)
                first = found[common].first_died_at if common in found else report.at
                found[common] = Death(common, first, report.at, is_dead=report is in_order[-1])
    return sorted(found.values(), key=lambda death: death.signature.issue_id)


def state(deaths: Iterable[int], acknowledged_at: int | None, resolved_at: int | None) -> State:
    """Return the state of an issue: resolved if no event of it is dead now, since all were redriven or dismissed.

    `deaths` are the times at which those events died that are dead now; the first of all and the first after
    `resolved_at` suffice. `acknowledged_at` and `resolved_at` are the latest such actions. All are microseconds since
    1970 UTC.
    """
    changes: list[IssueChange] = [(at, "died") for at in deaths]
    if not changes:
        return "resolved"
    changes += [(acknowledged_at, "acknowledged")] if acknowledged_at is not None else []
    changes += [(resolved_at, "resolved")] if resolved_at is not None else []
    return fold(changes) or "resolved"


def fold(changes: Iterable[IssueChange]) -> State | None:
    """Return the state after these changes, in whatever order they are given; None if none of them is a death."""
    current: State | None = None
    for _, kind in sorted(changes, key=lambda change: (change[0], KINDS.index(change[1]))):
        current = TRANSITIONS[current, kind]
    return current
