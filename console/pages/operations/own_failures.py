"""The dead events of the console itself: it publishes no outcomes, so they are in no issue, and are asked for."""

from sqlalchemy import Connection

from console.web.page import Action, ActionResult, Done, PageRequest, Refused
from console.web.rendering.formatting import first_line
from runtime.clients.management_client import ServiceRefused, ServiceUnreachable
from runtime.json_value import JsonValue

SERVICE = "console"
AT_ONCE = 50


def dead(request: PageRequest) -> list[dict[str, JsonValue]]:
    """Return at most AT_ONCE of the console's own dead events; none while it does not answer."""
    if SERVICE not in request.services.names:
        return []
    try:
        answer = request.services.get(SERVICE, "/dead", status="dead", limit=str(AT_ONCE))
    except (ServiceRefused, ServiceUnreachable):
        return []
    return [{**event, "error": first_line(event["error"])} for event in answer["events"]]


def redrive(_: Connection, request: PageRequest) -> ActionResult:
    """Have the console try its own dead events again, those that the page has shown."""
    chosen = list(filter(None, request.form_lists.get("event", ())))
    if not chosen:
        raise Refused("issues.none_chosen")
    answer = request.services.post(SERVICE, "/dead/redrive", {"filters": {"id": chosen}})
    return Done("/issues", "issues.redrive_started", {"count": answer["redriven"]})


ACTIONS = (Action("/own-failures/redrive", "dead.redrive", "operator", redrive, lambda _: SERVICE),)
