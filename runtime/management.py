"""Health, metrics and a service's own verbs on a listener of their own, away from the public one."""

import hmac
import json
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from runtime import metrics
from runtime.health import Health
from runtime.logging import log
from runtime.settings import Settings

Answer = tuple[int, str, bytes]
Route = Callable[[Mapping[str, Any]], object]
"""What a service does when asked: the query of a GET or the JSON object of a POST in, something JSON can say out."""
Routes = Mapping[tuple[str, str], Route]
"""By method (GET or POST) and path; each is asked with the token only."""

NO_ROUTES: Routes = MappingProxyType({})
MAX_BODY_BYTES = 65_536
TIMEOUT_S = 10.0


class Refused(Exception):
    """A route says no: an HTTP status, a word for programs and a sentence for people."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error


class Management:
    """What the listener answers: `/health/live` and `/health/ready` to anybody, the rest with the token."""

    def __init__(self, health: Health, token: str | None, routes: Routes = NO_ROUTES) -> None:
        self._health = health
        self._token = token
        self._routes: Routes = {("GET", "/metrics"): _metrics, **routes}

    def answer(self, method: str, target: str, authorization: str, body: bytes = b"") -> Answer:
        """The status, content type and body for a request."""
        url = urlsplit(target)
        if (method, url.path) == ("GET", "/health/live"):
            return _state(self._health.problems_of_life())
        if (method, url.path) == ("GET", "/health/ready"):
            return _state(self._health.problems())
        try:
            self._authorize(authorization)
            route = self._route(method, url.path)
            said = route(dict(parse_qsl(url.query, keep_blank_values=True)) if method == "GET" else _object(body))
        except Refused as refused:
            return _json(refused.status, {"error": refused.error, "message": str(refused)})
        except Exception:  # noqa: BLE001 - whatever a route does, the asker gets an answer
            log.exception("management.failed", path=url.path)
            return _json(500, {"error": "internal_error", "message": "this failed; the log says why"})
        return (200, CONTENT_TYPE_LATEST, said) if isinstance(said, bytes) else _json(200, said)

    def _authorize(self, authorization: str) -> None:
        expected = f"Bearer {self._token}".encode()
        if not self._token or not hmac.compare_digest(authorization.encode(), expected):
            raise Refused(401, "unauthorized", "send the management token as a bearer token")

    def _route(self, method: str, path: str) -> Route:
        if (method, path) in self._routes:
            return self._routes[method, path]
        if other := [known for known, where in self._routes if where == path]:
            raise Refused(405, "method_not_allowed", f"{path} takes {' and '.join(sorted(other))}")
        raise Refused(404, "unknown_path", "nothing is here")


def listen(settings: Settings, health: Health, routes: Routes = NO_ROUTES) -> ThreadingHTTPServer:
    """Start answering in a thread of its own, until the process ends."""
    metrics.watch(health)
    management = Management(health, settings.management_token, routes)

    class Handler(BaseHTTPRequestHandler):
        timeout = TIMEOUT_S

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not (length.isascii() and length.isdecimal()):
                return self._send(*_json(411, {"error": "length_required", "message": "send a Content-Length"}))
            if int(length) > MAX_BODY_BYTES:
                said = {"error": "too_large", "message": f"a body has at most {MAX_BODY_BYTES} bytes"}
                return self._send(*_json(413, said))
            return self._answer(self.rfile.read(int(length)))

        def _answer(self, body: bytes) -> None:
            self._send(*management.answer(self.command, self.path, self.headers.get("Authorization", ""), body))

        def _send(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Probes come every second; they are not worth a line."""

    server = ThreadingHTTPServer((settings.management_host, settings.management_port), Handler)
    Thread(target=server.serve_forever, name="management", daemon=True).start()
    return server


def _metrics(_: Mapping[str, Any]) -> bytes:
    return generate_latest(REGISTRY)


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise Refused(400, "malformed", "the body must be a JSON object")
    return said


def _state(problems: list[str]) -> Answer:
    return _json(503 if problems else 200, {"status": "not ready" if problems else "ok", "problems": problems})


def _json(status: int, body: object) -> Answer:
    return status, "application/json", json.dumps(body).encode()
