"""The grouping of dead events into issues, and the state of an issue. Pure.

The state depends only on the set of changes of the issue, in whatever order the console read them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from console.domain import REPEATS, OutcomeReport, report_order
from stream.events import ids
from stream.events.redaction import masked_text
from stream.store.waiting import OVERDUE

State = Literal["open", "acknowledged", "resolved"]
STATES: tuple[State, ...] = ("open", "acknowledged", "resolved")
Kind = Literal["died", "acknowledged", "resolved"]
KINDS: tuple[Kind, ...] = ("died", "acknowledged", "resolved")
"""In the order of changes at the same time: a person acts on what they have seen."""
Change = tuple[int, Kind]
"""A time (microseconds since 1970 UTC) and what happened then: an event died, or a person acted."""

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
"""The next state for each state and change. None: nothing of the issue is dead yet."""

MAX_LINE = 200
OTHER = "other"
"""The cause of an error that names none."""
_CAUSE = re.compile(r"([A-Za-z_][\w.]*(?: \([0-9A-Z]{5}\))?): *")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,:-]\d+)*")


@dataclass(frozen=True, slots=True)
class Signature:
    """The key of an issue, shared by its dead events. `line` has no numbers and no ids, which differ between events."""

    service: str
    cause: str
    line: str

    @property
    def issue_id(self) -> str:
        """The id of the issue; the same signature always has the same id."""
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
    """An event belongs to an issue. `died_at` is its latest death; `is_dead` is False once it is not dead any more."""

    signature: Signature
    died_at: int
    is_dead: bool


def deaths(reports: Iterable[OutcomeReport]) -> list[Death]:
    """Return the issues to which one event belongs, from all its outcomes; in each service at most one is current.

    After a redrive an event may die of another error. It then belongs to both issues, and is dead in the second only.
    """
    found: dict[Signature, Death] = {}
    relevant = [report for report in reports if report.outcome not in REPEATS]
    for service in {report.service for report in relevant}:
        in_order = sorted((report for report in relevant if report.service == service), key=report_order)
        for report in in_order:
            if report.outcome == "dead":
                common = signature(service, report.error)
                found[common] = Death(common, report.at, is_dead=report is in_order[-1])
    return sorted(found.values(), key=lambda death: death.signature.issue_id)


def state(deaths: Iterable[int], acknowledged_at: int | None, resolved_at: int | None) -> State:
    """Return the state of an issue. `deaths` are the times at which its events died that are dead now.

    An issue without dead events is resolved: they were redriven successfully, or dismissed. `acknowledged_at` and
    `resolved_at` are the latest such actions. It is enough to give the first death of all and the first one after
    `resolved_at`.
    """
    changes: list[Change] = [(at, "died") for at in deaths]
    if not changes:
        return "resolved"
    changes += [(acknowledged_at, "acknowledged")] if acknowledged_at is not None else []
    changes += [(resolved_at, "resolved")] if resolved_at is not None else []
    return fold(changes) or "resolved"


def fold(changes: Iterable[Change]) -> State | None:
    """Return the state after these changes, in whatever order they are given."""
    current: State | None = None
    for _, kind in sorted(changes, key=lambda change: (change[0], KINDS.index(change[1]))):
        current = TRANSITIONS[current, kind]
    return current
