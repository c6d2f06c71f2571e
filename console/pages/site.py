"""Builds the handlers of all pages from the settings: who may log in, the templates, and the services."""

from collections.abc import Mapping

from sqlalchemy import Engine

from console.login import users
from console.login.sessions import Sessions
from console.pages import registry
from console.settings import ConsoleSettings
from console.web.action_log import PROBE_TIMEOUT_S, ActionLog
from console.web.gate import Gate
from console.web.records import Records
from console.web.rendering.assets import Assets
from console.web.rendering.renderer import Renderer
from console.web.rendering.texts import catalogue
from console.web.routes.actions import ActionRoutes
from console.web.routes.live import LiveRoutes
from console.web.routes.login import LoginRoutes
from console.web.routes.pages import PageRoutes
from console.web.routes.responder import Responder
from console.web.routes.static import static
from console.web.services import Services
from runtime.clients.management_client import ManagementClient
from runtime.health import Check
from runtime.json_value import JsonValue
from stream.avro.registry import client_of
from stream.avro.registry_client import RegistryError

SERVICE_TIMEOUT_S = 10.0


class Site:
    """The pages of a console: `handlers` are all routes, `not_found` answers a path that does not exist."""

    def __init__(self, settings: ConsoleSettings, store: Engine, action_log: ActionLog, records: Records) -> None:
        gate = Gate(
            Sessions(settings.console_token),
            users.parse(settings.console_users),
            users.parse_role_map(settings.console_oidc_roles),
            https=(settings.console_public_url or "").startswith("https:"),
        )
        assets = Assets()
        renderer = Renderer(catalogue(), assets)
        renderer.sections = frozenset(page.section for page in registry.PAGES)
        client = ManagementClient(addresses(settings.management_urls), settings.management_token, SERVICE_TIMEOUT_S)
        issuer = settings.console_oidc_issuer
        configured = bool(gate.users or issuer)
        probes: dict[str, Check] = {"kafka": action_log.kafka_problem, "registry": registry_check(settings)}
        responder = Responder(gate, renderer, store, Services(client, probes, records), configured=configured)
        login = LoginRoutes(responder, settings.console_oidc_name if issuer else "", settings.proxies())
        self.not_found = responder.not_found
        self.handlers: list[JsonValue] = [
            static(assets),
            *login.handlers(),
            *(_oidc_handlers(settings, issuer, responder, login) if issuer else ()),
            *map(PageRoutes(responder).page, registry.PAGES),
            *map(ActionRoutes(responder, action_log).action, registry.ACTIONS),
            *map(LiveRoutes(responder).live, registry.LIVES),
        ]


def registry_check(settings: ConsoleSettings) -> Check:
    """Return the check that the schema registry answers the console; it never fails if none is configured."""
    if settings.schema_registry_url is None:
        return lambda: None
    client = client_of(settings, PROBE_TIMEOUT_S)

    def check() -> str | None:
        try:
            client.call("GET", "/config")
        except RegistryError as failure:
            return str(failure)
        return None

    return check


def _oidc_handlers(settings: ConsoleSettings, issuer: str, responder: Responder, login: LoginRoutes) -> list[JsonValue]:
    """Return the route handlers of the login through the OpenID Connect provider `issuer`.

    Only here are the client of the protocol and its cryptography imported: 13 MB that most consoles do not need.
    """
    from console.login.oidc import OidcProvider  # noqa: PLC0415
    from console.web.routes.oidc import OidcRoutes  # noqa: PLC0415

    provider = OidcProvider(
        issuer,
        settings.console_oidc_client_id,
        settings.console_oidc_client_secret,
        f"{(settings.console_public_url or '').rstrip('/')}/login/oidc/callback",
        settings.console_oidc_claim,
        users.parse_role_map(settings.console_oidc_roles),
    )
    return OidcRoutes(responder, login, provider).handlers()


def addresses(setting: str) -> Mapping[str, str]:
    """Parse MANAGEMENT_URLS, `name=url,name=url`, to the management addresses by service."""
    pairs = (part.partition("=") for part in setting.split(",") if part.strip())
    return {name.strip(): url.strip() for name, _, url in pairs}
