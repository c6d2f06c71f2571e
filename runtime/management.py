"""An HTTP listener for health, metrics and a service's management API, apart from the public listener."""

import hmac
import json
import socket
import sys
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore, Lock, Thread
from types import MappingProxyType
from urllib.parse import parse_qsl, urlsplit

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from runtime import __version__, metrics, openapi
from runtime.config.settings import Settings
from runtime.health import Health
from runtime.logging import log

Response = tuple[int, str, bytes]
"""Status, content type, body."""
RouteHandler = Callable[[Mapping[str, object]], object]
"""Takes the query of a GET or the JSON object of a POST; returns bytes (metrics) or a value to encode as JSON."""
Routes = Mapping[tuple[str, str], RouteHandler]
"""Routes by method (GET or POST) and path; all of them need the token."""

HEALTH = ("/health/live", "/health/ready")
REFUSALS = (400, 401)
"""Statuses that any route may refuse with."""
METRICS = {
    "200": {"description": "done", "content": {CONTENT_TYPE_LATEST.partition(";")[0]: {"schema": {"type": "string"}}}},
    "401": openapi.answer("refused", openapi.ERROR),
}
NO_ROUTES: Routes = MappingProxyType({})
MAX_BODY_BYTES = 65_536
TIMEOUT_S = 10.0
"""For each read and write on a connection."""
MAX_CONNECTIONS = 32
MAKE_ROOM_S = 0.05
"""Seconds that a new connection waits for a free place before the slowest sender is disconnected."""
DISCARD_S, DISCARDED_BYTES = 0.2, 8_192
"""Timeout and size of each read of a body that is dropped."""
BODY_UNREAD = (401, 404, 405, 411, 413)
"""Statuses that are sent before a body is read."""


class RequestRefused(Exception):
    """A route refuses a request, with an HTTP status, an error code for programs and a sentence for people."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error


class Disconnected(Exception):
    """The client has disconnected, or has not sent its body within TIMEOUT_S."""


class Management:
    """Answers `/health/live` and `/health/ready` without the token; `/metrics`, `/openapi.json` and the routes with it.

    If `token` is None, only health is answered.
    """

    def __init__(self, health: Health, token: str | None, routes: Routes = NO_ROUTES) -> None:
        self._health = health
        self._token = token
        own: Routes = {("GET", "/metrics"): _metrics, ("GET", "/openapi.json"): self._document}
        self._routes: Routes = ChainMap(routes, own)  # type: ignore[arg-type] # only read

    def answer(self, method: str, target: str, authorization: str, read: Callable[[], bytes] = bytes) -> Response:
        """Answer a request; `read` returns its body, and is called only after the token was checked.

        Raises Disconnected if `read` does. Any other failure of a route is logged and answered with 500.
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


class RequestHandler(BaseHTTPRequestHandler):
    """Reads one request of a connection and sends the answer of Management."""

    timeout = TIMEOUT_S
    server: "Listener"
    server_version, sys_version = "hookstream", ""

    def do_GET(self) -> None:
        self.server.request_received(self.connection)
        self._answer(bytes)

    def do_POST(self) -> None:
        self._answer(self._read_body)

    do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_POST  # answered 405

    def _read_body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()):
            raise RequestRefused(411, "length_required", "send a Content-Length")
        if int(length[:20]) > MAX_BODY_BYTES:
            raise RequestRefused(413, "too_large", f"a body has at most {MAX_BODY_BYTES} bytes")
        try:
            body = self.rfile.read(int(length))
        except OSError as lost:
            raise Disconnected from lost
        if len(body) < int(length):
            raise RequestRefused(400, "malformed", "the body ended before its length")
        self.server.request_received(self.connection)
        return body

    def _answer(self, read: Callable[[], bytes]) -> None:
        self._send(*self.server.management.answer(self.command, self.path, self.headers.get("Authorization", ""), read))

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if self.command != "GET" and status in BODY_UNREAD:
            self._drain_body()

    def _drain_body(self) -> None:
        """Read and drop the body: closing with unread bytes resets the connection before the client has the answer."""
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(DISCARD_S)
            for _ in range(MAX_BODY_BYTES // DISCARDED_BYTES):
                if not self.connection.recv(DISCARDED_BYTES):
                    break

    def log_message(self, *_: object) -> None:
        """Log nothing: health probes come every second."""


Incoming = socket.socket | tuple[bytes, socket.socket]
"""The connection as `socketserver` types it; of a TCP server it is a socket."""


class Listener(ThreadingHTTPServer):
    """Serves at most MAX_CONNECTIONS at once, each with a thread and one request.

    When they are all in use, the connection that has taken longest to send its request is closed for the next. Clients
    that hold connections open therefore cannot block health probes.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], management: Management) -> None:
        super().__init__(address, RequestHandler)
        self.management = management
        self._free = BoundedSemaphore(MAX_CONNECTIONS)
        self._lock = Lock()
        self._reading: dict[int, Incoming] = {}

    def process_request(self, request: Incoming, client_address: object) -> None:
        """Serve a connection in a thread, once fewer than MAX_CONNECTIONS are in use."""
        while not self._free.acquire(timeout=MAKE_ROOM_S):
            self._make_room()
        with self._lock:
            self._reading[id(request)] = request
        super().process_request(request, client_address)

    def process_request_thread(self, request: Incoming, client_address: object) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.request_received(request)
            self._free.release()

    def request_received(self, request: Incoming) -> None:
        """Note that a connection has sent its request, which exempts it from being closed for another."""
        with self._lock:
            self._reading.pop(id(request), None)

    def handle_error(self, request: Incoming, client_address: object) -> None:
        """Log a broken connection; the base class would print a traceback."""
        log.debug("management.connection_lost", error=type(sys.exception()).__name__)

    def _make_room(self) -> None:
        with self._lock:
            oldest = next(iter(self._reading.values()), None)
        if isinstance(oldest, socket.socket):
            with suppress(OSError):
                oldest.shutdown(socket.SHUT_RDWR)
            self.request_received(oldest)


def listen(settings: Settings, health: Health, routes: Routes = NO_ROUTES) -> ThreadingHTTPServer:
    """Start serving in daemon threads, until the process ends; routes may be added to `routes` later."""
    metrics.watch(health)
    management = Management(health, settings.management_token, routes)
    server = Listener((settings.management_host, settings.management_port), management)
    Thread(target=server.serve_forever, name="management", daemon=True).start()
    return server


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
