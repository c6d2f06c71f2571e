"""The page Replays: rebuild a store beside the live one, compare, promote, roll back."""

from sqlalchemy import Connection

from console.web.page import Action, ActionRefused, ActionResult, Done, Live, Page, PageRequest
from runtime.clients.management_client import ServiceRefused, ServiceUnreachable
from runtime.json_value import JsonValue
from stream.events import topics

SERVICES = tuple(service.name for service in topics.SERVICES)
VERBS = ("start", "diff", "promote", "rollback", "drop")


def view(tx: Connection, request: PageRequest) -> dict[str, JsonValue]:  # noqa: ARG001
    """Return the replays of the query's service, and its latest command; of the first service if it is unknown."""
    service = request.query.get("service", SERVICES[0])
    return _of(request, service if service in SERVICES else SERVICES[0])


def view_live(tx: Connection, request: PageRequest) -> dict[str, JsonValue] | None:  # noqa: ARG001
    """Return the replays of the path's service, and its latest command; None for an unknown service."""
    return _of(request, request.ids[0]) if request.ids[0] in SERVICES else None


def run(tx: Connection, request: PageRequest) -> ActionResult:  # noqa: ARG001
    """Start the command that the path names, one of VERBS, in the service; the page shows its output.

    Raises ActionRefused for an unknown service or verb.
    """
    service, verb = request.ids
    if service not in SERVICES or verb not in VERBS:
        raise ActionRefused("replays.unknown")
    fields = {name: request.form[name].strip() for name in ("name", "orders", "to") if request.form.get(name)}
    request.services.post(service, "/replays", {**fields, "verb": verb, "by": request.viewer.name})
    return Done(f"/replays?service={service}", "replays.started", {"verb": verb, "service": service})


def _of(request: PageRequest, service: str) -> dict[str, JsonValue]:
    answer: dict[str, JsonValue] = {"replays": [], "command": None}
    problem = None
    try:
        answer = request.services.get(service, "/replays")
    except (ServiceRefused, ServiceUnreachable) as failure:
        problem = str(failure)
    command = answer["command"]
    return {
        "service": service,
        "services": SERVICES,
        "replays": answer["replays"],
        "command": command,
        "busy": bool(command) and command["exit"] is None,
        "problem": problem,
    }


def _target(request: PageRequest) -> str:
    return " ".join(filter(None, (request.ids[0], request.form.get("name", ""))))


PAGES = (Page("/replays", "replays.html", view, "replays"),)
LIVES = (Live("/live/replays/{service:str}", "_replays.html", view_live),)
ACTIONS = (Action("/replays/{service:str}/{verb:str}", "replay.run", "operator", run, _target),)
