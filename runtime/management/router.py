"""Answers the requests of a management listener: health, metrics, its OpenAPI document, and a service's routes."""

import hmac
import json
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from runtime import __version__
from runtime.health import Health
from runtime.logging import log
from runtime.management import openapi
from runtime.management.routes import NO_ROUTES, RequestRefused, RouteHandler, Routes

Response = tuple[int, str, bytes]
"""Status, content type, body."""

HEALTH = ("/health/live", "/health/ready")
REFUSALS = (400, 401)
"""Statuses that any route may refuse with."""
METRICS = {
    "200": {"description": "done", "content": {CONTENT_TYPE_LATEST.partition(";")[0]: {"schema": {"type": "string"}}}},
    "401": openapi.answer("refused", openapi.ERROR),
}


class Disconnected(Exception):
    """The client has disconnected, or has not sent its body in time."""


class Router:
    """Answers `/health/live` and `/health/ready` without the token; `/metrics`, `/openapi.json` and the routes with it.

    If `token` is None, only health is answered.
    """

    def __init__(self, health: Health, token: str | None, routes: Routes = NO_ROUTES) -> None:
        self._health = health
        self._token = token
        own: Routes = {("GET", "/metrics"): _metrics, ("GET", "/openapi.json"): self._document}
        self._routes: Routes = ChainMap(routes, own)  # type: ignore[arg-type] # only read

    def answer(self, method: str, target: str, authorization: str, read: Callable[[], bytes] = bytes) -> Response:
        """Return the response to a request to `target`, a path with a query, with the header `authorization`.

        `read` returns the body, and is called after the token was checked, except for a GET.

        Raises Disconnected if `read` does. A RequestRefused is answered, any other failure logged and answered 500.
        """
        try:
            url = urlsplit(target)
            if (method, url.path) == ("GET", "/health/live"):
                return _state(self._health.liveness_problems())
            if (method, url.path) == ("GET", "/health/ready"):
                return _state(self._health.problems(), self._health.warnings())
            self._authorize(authorization)
            route = self._route(method, url.path)
            result = route(dict(parse_qsl(url.query, keep_blank_values=True)) if method == "GET" else _object(read()))
        except RequestRefused as refused:
            return _json(refused.status, {"error": refused.error, "message": str(refused)})
        except Disconnected:
            raise
        except Exception:  # noqa: BLE001 - the client gets an answer whatever a route raises
            log.exception("management.failed", path=target.partition("?")[0])
            return _json(500, {"error": "internal_error", "message": "this failed; see the log of the service"})
        return (200, CONTENT_TYPE_LATEST, result) if isinstance(result, bytes) else _json(200, result)

    def _document(self, _: Mapping[str, object]) -> object:
        """Return the OpenAPI document of this listener, with the routes it has now."""
        paths: dict[str, dict[str, object]] = {path: {"get": openapi.health(path)} for path in HEALTH}
        for (method, path), handler in sorted(self._routes.items()):
            operation = openapi.operation_of(handler, f"{method} {path}")
            refusals = REFUSALS if method == "GET" else (*REFUSALS, 411, 413)
            paths.setdefault(path, {})[method.lower()] = openapi.rendered(operation, refusals)
        paths["/metrics"] = {"get": {"summary": "Metrics for Prometheus", "responses": METRICS}}
        return openapi.document("hookstream management listener", __version__, paths, token="MANAGEMENT_TOKEN")  # noqa: S106

    def _authorize(self, authorization: str) -> None:
        expected = f"Bearer {self._token}".encode()
        if not self._token or not hmac.compare_digest(authorization.encode(), expected):
            raise RequestRefused(401, "unauthorized", "send the management token as a bearer token")

    def _route(self, method: str, path: str) -> RouteHandler:
        if (method, path) in self._routes:
            return self._routes[method, path]
        if methods := [known for known, routed in self._routes if routed == path]:
            raise RequestRefused(405, "method_not_allowed", f"{path} takes {' and '.join(sorted(methods))}")
        raise RequestRefused(404, "unknown_path", "there is nothing at this path")


def _metrics(_: Mapping[str, object]) -> bytes:
    return generate_latest(REGISTRY)


def _object(body: bytes) -> dict[str, object]:
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise RequestRefused(400, "malformed", "the body must be a JSON object")
    return value


def _state(problems: list[str], warnings: Sequence[str] = ()) -> Response:
    state = {"status": "not ready" if problems else "ok", "problems": problems}
    return _json(503 if problems else 200, state | ({"warnings": list(warnings)} if warnings else {}))


def _json(status: int, body: object) -> Response:
    return status, "application/json", json.dumps(body).encode()
