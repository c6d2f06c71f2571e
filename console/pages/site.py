"""Puts the pages together from settings: who may log in, the templates, the services, and all handlers."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine

from console.login import users
from console.login.sessions import Sessions
from console.pages import registry
from console.settings import ConsoleSettings
from console.web.action_log import ActionLog
from console.web.assets import Assets
from console.web.gate import Gate
from console.web.login_routes import LoginRoutes
from console.web.rendering import Renderer
from console.web.routes import Routes, static
from console.web.services import Services
from console.web.texts import Texts
from runtime.management_client import ManagementClient

SERVICE_TIMEOUT_S = 10.0


class Site:
    """The pages of a console."""

    def __init__(self, settings: ConsoleSettings, store: Engine, action_log: ActionLog) -> None:
        gate = Gate(
            Sessions(settings.console_token),
            users.parse(settings.console_users),
            https=(settings.console_public_url or "").startswith("https:"),
        )
        assets = Assets()
        renderer = Renderer(Texts(), assets)
        renderer.sections = frozenset(page.section for page in registry.PAGES)
        client = ManagementClient(addresses(settings.management_urls), settings.management_token, SERVICE_TIMEOUT_S)
        routes = Routes(gate, renderer, store, Services(client), action_log, configured=bool(gate.users))
        self.not_found = routes.not_found
        self.handlers: list[Any] = [
            static(assets),
            *LoginRoutes(routes, gate, "").handlers(),
            *map(routes.page, registry.PAGES),
            *map(routes.action, registry.ACTIONS),
            *map(routes.live, registry.LIVES),
        ]


def addresses(setting: str) -> Mapping[str, str]:
    """Return the services' management addresses of a setting `name=url,name=url`."""
    pairs = (part.partition("=") for part in setting.split(",") if part.strip())
    return {name.strip(): url.strip() for name, _, url in pairs}
