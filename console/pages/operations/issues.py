"""The pages Issues: dead events grouped by service and error, and the actions on them."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from console.issues.domain import STATES
from console.pages.operations import own_failures
from console.queries import issues
from console.queries.criteria import BadParameter, is_uuid
from console.redrives import runner, store
from console.redrives.store import Redrive
from console.web import reasons
from console.web.page import Action, ActionRefused, ActionResult, Done, Live, Page, PageRequest, Shown
from runtime.json_value import JsonValue
from stream.events import ids

Context = dict[str, JsonValue]
TONES = {"open": "bad", "acknowledged": "warn", "resolved": "good"}
VERBS = ("redrive", "dismiss")
CHUNK = 500
"""The most events that one request to a service names, because its body may have at most 65,536 bytes."""
MAX_REASON_CHARS = 500
ALL = "all"
"""The value of the field `every` that chooses all dead events of the issue."""


def view(tx: Connection, request: PageRequest) -> Context:
    """Return the issues of the query's state (default: all but resolved ones) and service (default: all).

    The console's own dead events are added; reading them ends the transaction. Raises BadParameter for any other state.
    """
    wanted, service = request.query.get("state", "unresolved"), request.query.get("service") or None
    if wanted not in ("unresolved", "every", *STATES):
        raise BadParameter(f"state must be unresolved, every, {', '.join(STATES)}")
    found = issues.select(tx)
    shown = [
        issue
        for issue in found
        if service in (None, issue["service"])
        and (wanted in ("every", issue["state"]) or (wanted == "unresolved" and issue["state"] != "resolved"))
    ]
    services = sorted({issue["service"] for issue in found})
    counted = issues.counts(found)
    return {
        "issues": shown,
        "counts": counted,
        "services": services,
        "state": wanted,
        "service": service,
        "tones": TONES,
        "states": ("unresolved", *STATES, "every"),
        "own": own_failures.dead(tx, request) if service in (None, own_failures.SERVICE) else [],
    }


def view_one(tx: Connection, request: PageRequest) -> Context | None:
    """Return one issue, its events and its latest redrives; None if no issue has this id."""
    (issue_id,) = request.ids
    found = _find(tx, issue_id)
    if found is None:
        return None
    redrives = [
        redrive_context(each, store.outcomes_since(tx, each, each.event_ids[: each.done]))
        for each in store.of_issue(tx, issue_id)
    ]
    return {
        "issue": found,
        "events": issues.events(tx, issue_id),
        "most": issues.MAX_EVENTS,
        "redrives": redrives,
        "tones": TONES,
    }


def plan(tx: Connection, request: PageRequest) -> ActionResult:
    """Count the chosen events in their service, and show what the form's `verb` would do; change nothing.

    Raises ActionRefused if the issue is gone or no dead event is chosen, BadParameter for an unknown verb.
    """
    found, verb = _existing(tx, request), request.form.get("verb", "")
    if verb not in VERBS:
        raise BadParameter(f"verb must be one of {', '.join(VERBS)}")
    chosen = _chosen(tx, request)
    extra = {"because": "counting"} if verb == "dismiss" else {}
    matched = _request(request, found["service"], f"/dead/{verb}", chosen, extra, dry=True)["matched"]
    every = request.form.get("every") == ALL
    context = {
        "issue": found,
        "verb": verb,
        "chosen": chosen,
        "matched": matched,
        "every": every,
        "longest": MAX_REASON_CHARS,
    }
    return Shown("issue_plan.html", context, "issues")


def redrive(tx: Connection, request: PageRequest) -> ActionResult:
    """Store a redrive of the chosen events, in a transaction of its own, and start it in a thread.

    Raises ActionRefused if the issue is gone or no dead event is chosen.
    """
    found, chosen = _existing(tx, request), _chosen(tx, request)
    redrive_id = ids.action_id(request.viewer.name, "issue.redrive", found["issueId"], request.now)
    with tx.engine.begin() as own:
        store.insert(own, redrive_id, found["issueId"], found["service"], chosen, request.viewer.name)
    runner.start(tx.engine, request.services, redrive_id)
    # The flash stays when the redrive has ended, so it says nothing of its state, which the page shows and updates.
    return Done(_path(found), "issues.redrive_below", {"count": len(chosen)})


def cancel(tx: Connection, request: PageRequest) -> ActionResult:
    """Cancel a redrive, in a transaction of its own, so that no further group follows.

    Raises ActionRefused if there is none with this id. A redrive that has ended stays as it is.
    """
    redrive_id = request.ids[0]
    found = store.read(tx, redrive_id) if is_uuid(redrive_id) else None
    if found is None:
        raise ActionRefused("issues.no_redrive")
    with tx.engine.begin() as own:
        ended = store.end(own, redrive_id, "cancelled")
    return Done(f"/issues/{found.issue_id}", "issues.cancelled" if ended else "issues.ended_before")


def dismiss(tx: Connection, request: PageRequest) -> ActionResult:
    """Dismiss the chosen events in their service.

    Raises ActionRefused without a reason, for one that is too long, and if the issue is gone or no dead event is
    chosen.
    """
    found, chosen = _existing(tx, request), _chosen(tx, request)
    reason = reasons.required(request, "because", MAX_REASON_CHARS)
    answer = _request(request, found["service"], "/dead/dismiss", chosen, {"because": reason}, dry=False)
    return Done(_path(found), "issues.dismissed", {"count": answer["dismissed"]})


def decide(tx: Connection, request: PageRequest) -> ActionResult:
    """Acknowledge or resolve an issue: only the record of the action is written, from which its state is derived.

    Raises ActionRefused if the issue is gone.
    """
    return Done(_path(_existing(tx, request)))


def _find(tx: Connection, issue_id: str) -> Context | None:
    return issues.by_id(tx, issue_id) if is_uuid(issue_id) else None


def _existing(tx: Connection, request: PageRequest) -> Context:
    found = _find(tx, request.ids[0])
    if found is None:
        raise ActionRefused("issues.gone")
    return found


def _chosen(tx: Connection, request: PageRequest) -> list[str]:
    """Return the ids of the events that are dead now and were chosen. Raises ActionRefused if there are none."""
    dead = issues.dead_ids(tx, request.ids[0])
    if request.form.get("every") != ALL:
        named = set(request.form_lists.get("event", ()))
        dead = [event_id for event_id in dead if event_id in named]
    if not dead:
        raise ActionRefused("issues.none_chosen")
    return dead


def _request(
    request: PageRequest, service: str, path: str, chosen: Sequence[str], extra: Mapping[str, str], *, dry: bool
) -> dict[str, int]:
    """Send the chosen events to their service, CHUNK at a time; return the sums of its counts."""
    sums: dict[str, int] = {}
    for first in range(0, len(chosen), CHUNK):
        body = {"filters": {"id": chosen[first : first + CHUNK]}, "dryRun": dry, **extra}
        answer = request.services.post(service, path, body)
        for name, count in answer.items():
            if isinstance(count, int):
                sums[name] = sums.get(name, 0) + count
    return sums


def redrive_context(found: Redrive, outcomes: Mapping[str, int]) -> Context:
    """Return what the page shows of a redrive; `outcomes` is the number of its redriven events by outcome."""
    unprocessed = outcomes.get("retrying", 0) + outcomes.get("dead", 0)
    return {
        "id": found.redrive_id,
        "by": found.started_by,
        "at": found.started_at,
        "status": "lost" if found.is_lost else found.status,
        "done": found.done,
        "total": len(found.event_ids),
        "processed": sum(outcomes.values()) - unprocessed,
        "unprocessed": unprocessed,
    }


def _path(found: Context) -> str:
    return f"/issues/{found['issueId']}"


PAGES = (
    Page("/issues", "issues.html", view, "issues"),
    Page("/issues/{issue_id:str}", "issue.html", view_one, "issues"),
)
LIVES = (
    Live("/live/issues", "_issues.html", view),
    Live("/live/issues/{issue_id:str}", "_issue.html", view_one),
)
ACTIONS = (
    Action("/issues/{issue_id:str}/acknowledge", issues.ACKNOWLEDGE, "operator", decide),
    Action("/issues/{issue_id:str}/resolve", issues.RESOLVE, "operator", decide),
    Action("/issues/{issue_id:str}/plan", "issue.count", "operator", plan),
    Action("/issues/{issue_id:str}/redrive", "issue.redrive", "operator", redrive),
    Action("/issues/{issue_id:str}/dismiss", "issue.dismiss", "operator", dismiss),
    Action("/redrives/{redrive_id:str}/cancel", "issue.redrive.cancel", "operator", cancel),
)
