"""The page Quarantine: refused requests by cause and source, secrets that fail, quarantined webhooks to release."""

from collections.abc import Sequence

from sqlalchemy import Connection

from console.queries import quarantine
from console.queries.criteria import BadParameter
from console.queries.figures.spans import HOUR
from console.web.page import Action, ActionRefused, ActionResult, Done, Page, PageRequest, Shown
from runtime.json_value import JsonValue

SPANS = {"1": quarantine.MINUTE * 2, "24": HOUR, "168": HOUR * 6}
"""The width of a bar in microseconds, by the number of hours that are shown."""
AT_ONCE = 50
"""The most records that the gateway releases in one request."""


def view(tx: Connection, request: PageRequest) -> dict[str, JsonValue]:
    """Return the refusals of the last `hours` and the newest quarantined webhooks, of a `cause` or `provider` if given.

    Raises BadParameter unless `hours` is in SPANS; the default is 24.
    """
    hours = request.query.get("hours", "24")
    if hours not in SPANS:
        raise BadParameter(f"hours must be one of {', '.join(SPANS)}")
    cause, provider = request.query.get("cause") or None, request.query.get("provider") or None
    span, since = SPANS[hours], request.now - int(hours) * HOUR
    first = since - since % span
    counted = quarantine.over_time(tx, first, span, cause, provider)
    bars = [(start, counted.get(start, 0)) for start in range(first, request.now, span)]
    return {
        "secrets": quarantine.failing_secrets(tx, request.now),
        "groups": quarantine.groups(tx, since, cause, provider),
        "bars": bars,
        "top": max((count for _, count in bars), default=0),
        "total": sum(count for _, count in bars),
        "quarantined": quarantine.quarantined(tx, cause, provider),
        "causes": quarantine.causes(tx),
        "hours": hours,
        "spans": list(SPANS),
        "cause": cause or "",
        "provider": provider or "",
        "most": quarantine.MAX_ROWS,
    }


def plan(tx: Connection, request: PageRequest) -> ActionResult:
    """Show which of the chosen webhooks the gateway would release now, and why not the others; release none.

    Raises ActionRefused if none is chosen.
    """
    results = _release(tx, request, dry=True)
    context = {"results": results, "releasable": [result for result in results if result["released"]]}
    return Shown("quarantine_plan.html", context, "quarantine")


def release(tx: Connection, request: PageRequest) -> ActionResult:
    """Release the chosen webhooks; those that the gateway cannot accept stay.

    Raises ActionRefused if none is chosen. A webhook that is released twice becomes the same event, so it has its
    effect once.
    """
    results = _release(tx, request, dry=False)
    released = sum(result["released"] for result in results)
    return Done("/quarantine", "quarantine.released", {"released": released, "stay": len(results) - released})


def _release(tx: Connection, request: PageRequest, *, dry: bool) -> list[dict[str, JsonValue]]:
    records = _records(tx, request.form_lists.get("webhook", ()))
    results: list[dict[str, JsonValue]] = []
    for first in range(0, len(records), AT_ONCE):
        body = {"records": records[first : first + AT_ONCE], "dryRun": dry}
        results += request.services.post("gateway", "/quarantine/release", body)["results"]
    return results


def _records(tx: Connection, chosen: Sequence[str]) -> list[dict[str, JsonValue]]:
    """Return the positions of the chosen webhooks, in the order of their receipt.

    Raises ActionRefused if there are none.
    """
    found = quarantine.quarantined(tx, ids=chosen) if chosen else []
    records = [
        {"topic": row["topic"], "partition": row["partition"], "offset": row["offset"]}
        for row in sorted(found, key=lambda row: row["received_at"])
        if row["topic"]
    ]
    if not records:
        raise ActionRefused("quarantine.none_chosen")
    return records


def _target(_: PageRequest) -> str:
    return "quarantine"  # the parameters have the ids of the chosen webhooks


PAGES = (Page("/quarantine", "quarantine.html", view, "quarantine"),)
ACTIONS = (
    Action("/quarantine/plan", "quarantine.count", "operator", plan, _target),
    Action("/quarantine/release", "quarantine.release", "operator", release, _target),
)
