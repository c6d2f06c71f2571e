"""Actions on a failed event, from the pages of orders and webhooks: redrive a dead one, retry one now."""

from sqlalchemy import Connection

from console.api.query_params import checked_id
from console.web.gate import local_path
from console.web.page import Action, Done, PageRequest, Refused

REDRIVE, RETRY = "/events/{}/redrive", "/events/{}/retry"


def redrive(_: Connection, request: PageRequest) -> Done:
    """Have the service of the form try a dead event again, as often as a new one."""
    event_id, service = _target(request)
    answer = request.services.post(service, "/dead/redrive", {"filters": {"id": event_id}})
    if not answer["redriven"]:
        raise Refused("event.not_dead", service=service)
    return Done(local_path(request.form.get("back")), "event.redriven", {"service": service})


def retry(_: Connection, request: PageRequest) -> Done:
    """Have the service of the form retry an event now, and not when its next attempt is due."""
    event_id, service = _target(request)
    answer = request.services.post(service, "/retry", {"id": event_id})
    values = {"service": service, "attempt": answer["attempt"], "of": answer["of"]}
    return Done(local_path(request.form.get("back")), "event.retried", values)


def _target(request: PageRequest) -> tuple[str, str]:
    service = request.form.get("service", "")
    if service not in request.services.names:
        raise Refused("event.unknown_service")
    return checked_id(request.ids[0]), service


ACTIONS = (
    Action(REDRIVE.format("{event_id:str}"), "dead.redrive", "operator", redrive),
    Action(RETRY.format("{event_id:str}"), "event.retry", "operator", retry),
)
