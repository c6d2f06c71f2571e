"""The ASGI application: webhook paths and the gateway's health, behind the guard.

A request passes, from the socket to its endpoint:

1. granian's server (gateway/serving.py), which reads HTTP/1.1 and limits the time for headers
2. `Guard` (gateway/http/guard.py), which refuses malformed requests and unknown paths, by `route`
3. `dispatch`, which chooses the endpoint by the method
4. POST: `WebhookEndpoint` (gateway/intake/webhooks.py); GET: Litestar, with health and OpenAPI
"""

from collections.abc import Awaitable, Sequence
from typing import cast

from litestar import Litestar, Response, get

from gateway.http import openapi
from gateway.http.guard import Application, Guard, Receive, Route, Scope, Send
from gateway.intake.webhooks import WebhookEndpoint
from gateway.settings import GatewaySettings
from providers import catalogue
from runtime import __version__
from runtime.health import Health

READ = frozenset({"/health/live", "/health/ready", openapi.OPENAPI_PATH})
"""The paths that are served to GET."""


def create(settings: GatewaySettings, webhooks: WebhookEndpoint, health: Health) -> Application:
    """Build the application. The guard routes the webhook paths, so Litestar serves only those of READ."""
    document = openapi.document(__version__)

    @get("/health/live", sync_to_thread=False)
    def live() -> Response[dict[str, list[str]]]:
        return _health_response(health.liveness_problems())

    @get("/health/ready", sync_to_thread=False)
    def ready() -> Response[dict[str, list[str]]]:
        return _health_response(health.problems(), health.warnings())

    @get(openapi.OPENAPI_PATH, sync_to_thread=False)
    def described() -> dict[str, object]:
        return document

    health_and_openapi = cast(Application, Litestar([live, ready, described], openapi_config=None, logging_config=None))

    def dispatch(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return (webhooks if scope.get("method") == "POST" else health_and_openapi)(scope, receive, send)

    return Guard(dispatch, route, settings.max_body_bytes, webhooks.on_guard_refusal)


def _health_response(problems: list[str], warnings: Sequence[str] = ()) -> Response[dict[str, list[str]]]:
    body = {"problems": problems} | ({"warnings": list(warnings)} if warnings else {})
    return Response(body, status_code=503 if problems else 200)


def route(path: str) -> Route | None:
    """Return the route of a request's path, which may end with a token; None if nothing is served there."""
    if path in READ:
        return Route("GET", path)
    found = catalogue.split(path)
    if found is None:
        return None
    provider, _ = catalogue.BY_PATH[found[0]]
    return Route("POST", *found, provider.takes_token, provider.takes_forms)
