"""The page Providers: authentication, secrets and activity of each provider; pause and resume, also of services."""

from sqlalchemy import Connection

from console.labels import provider_word
from console.queries.figures import provider_figures
from console.web import reasons
from console.web.page import Action, ActionRefused, ActionResult, Done, Page, PageRequest
from runtime.clients.management_client import ServiceRefused, ServiceUnreachable
from runtime.json_value import JsonValue
from stream.events import topics

GATEWAY = "gateway"
MAX_REASON_CHARS = 200
SERVICES = tuple(service.name for service in topics.SERVICES)
PROVIDER = ("state", "pending")
CONTRACT = ("paths", "authentication", "active", "unsigned", "secretSetting", "secrets", "retired")
TONES = {"active": "good", "paused": "warn", "draining": "busy", "finishing": "busy"}


def view(tx: Connection, request: PageRequest) -> dict[str, JsonValue]:
    """Return the providers, and every service with its `pause`: None while it runs, False if it is not known.

    It is not known if the service does not answer or refuses. If the gateway does, there are no providers, and
    `problem` says why.
    """
    problem, answered = None, []
    try:
        answered = request.services.get(GATEWAY, "/providers", pending="true")["providers"]
    except (ServiceRefused, ServiceUnreachable) as failure:
        problem = str(failure)
    services = [{"name": name, "pause": _pause(request, name)} for name in SERVICES]
    figures = provider_figures.figures(tx, request.now)
    providers = [
        {**in_full(row), "word": provider_word(row["provider"]), "figures": figures.get(row["provider"])}
        for row in answered
    ]
    providers.sort(key=lambda row: (not _is_on(row), row["provider"]))
    return {
        "providers": providers,
        "services": services,
        "problem": problem,
        "tones": TONES,
        "now": request.now,
        "longest": MAX_REASON_CHARS,
    }


def in_full(provider: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return a provider of the gateway's JSON with None for fields that a gateway of an older version leaves out."""
    contracts = [dict.fromkeys(CONTRACT) | contract for contract in provider.get("contracts", ())]
    return dict.fromkeys(PROVIDER) | provider | {"contracts": contracts}


def pause(tx: Connection, request: PageRequest) -> ActionResult:  # noqa: ARG001
    """Pause a provider: its webhooks are quarantined from now on.

    Raises ActionRefused without a reason, and for one that is too long.
    """
    body = {"provider": request.ids[0], "reason": _reason(request), "by": request.viewer.name}
    request.services.post(GATEWAY, "/providers/pause", body)
    return Done("/providers", "providers.paused", {"name": request.ids[0]})


def resume(tx: Connection, request: PageRequest) -> ActionResult:  # noqa: ARG001
    """Resume a provider: the webhooks that were quarantined by the pause are released in order."""
    body = {"provider": request.ids[0], "by": request.viewer.name}
    request.services.post(GATEWAY, "/providers/resume", body)
    return Done("/providers", "providers.resumed", {"name": request.ids[0]})


def pause_service(tx: Connection, request: PageRequest) -> ActionResult:  # noqa: ARG001
    """Pause a service, which finishes its batch first.

    Raises ActionRefused without a reason, for one that is too long, and for an unknown service.
    """
    body = {"reason": _reason(request), "by": request.viewer.name}
    request.services.post(_service(request), "/pause", body)
    return Done("/providers#services", "providers.paused", {"name": request.ids[0]})


def resume_service(tx: Connection, request: PageRequest) -> ActionResult:  # noqa: ARG001
    """Resume a service. Raises ActionRefused for an unknown service."""
    request.services.post(_service(request), "/resume", {})
    return Done("/providers#services", "providers.resumed_service", {"name": request.ids[0]})


def _is_on(row: dict[str, JsonValue]) -> bool:
    return any(contract["active"] for contract in row["contracts"])


def _pause(request: PageRequest, name: str) -> JsonValue:
    """Return the pause of a service: None if it is not paused, False if it does not answer."""
    try:
        return request.services.get(name, "/pause")["pause"]
    except (ServiceRefused, ServiceUnreachable):
        return False


def _reason(request: PageRequest) -> str:
    return reasons.required(request, "reason", MAX_REASON_CHARS)


def _service(request: PageRequest) -> str:
    if request.ids[0] not in SERVICES:
        raise ActionRefused("providers.no_service")
    return request.ids[0]


PAGES = (Page("/providers", "providers.html", view, "providers"),)
ACTIONS = (
    Action("/providers/{name:str}/pause", "provider.pause", "operator", pause),
    Action("/providers/{name:str}/resume", "provider.resume", "operator", resume),
    Action("/services/{name:str}/pause", "service.pause", "operator", pause_service),
    Action("/services/{name:str}/resume", "service.resume", "operator", resume_service),
)
