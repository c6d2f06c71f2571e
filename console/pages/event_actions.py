"""Actions on a failed event, on the pages of orders and webhooks: redrive a dead event, retry a retrying event now."""

from sqlalchemy import Connection

from console.api.query_params import checked_id
from console.web.gate import local_path
from console.web.page import Action, ActionRefused, Done, PageRequest

REDRIVE, RETRY = "/events/{}/redrive", "/events/{}/retry"
"""The paths of the actions; `{}` is the event id."""


def redrive(_: Connection, request: PageRequest) -> Done:
    """Redrive a dead event in the service that the form names.

    Raises ActionRefused for an unknown service, and if the event is not dead there.
    """
    event_id, service = _target(request)
    answer = request.services.post(service, "/dead/redrive", {"filters": {"id": event_id}})
    if not answer["redriven"]:
        raise ActionRefused("event.not_dead", service=service)
    return Done(local_path(request.form.get("back")), "event.redriven", {"service": service})


def retry(_: Connection, request: PageRequest) -> Done:
    """Make a retrying event due now in the service that the form names.

    Raises ActionRefused for an unknown service, ServiceRefused if the event is not retrying there.
    """
    event_id, service = _target(request)
    answer = request.services.post(service, "/retry", {"id": event_id})
    values = {"service": service, "attempt": answer["attempt"], "of": answer["of"]}
    return Done(local_path(request.form.get("back")), "event.retried", values)


def _target(request: PageRequest) -> tuple[str, str]:
    service = request.form.get("service", "")
    if service not in request.services.names:
        raise ActionRefused("event.unknown_service")
    return checked_id(request.ids[0]), service


ACTIONS = (
    Action(REDRIVE.format("{event_id:str}"), "dead.redrive", "operator", redrive),
    Action(RETRY.format("{event_id:str}"), "event.retry", "operator", retry),
)
