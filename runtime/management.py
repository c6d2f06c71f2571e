"""Health, metrics and a service's own verbs on a listener of their own, away from the public one."""

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
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from runtime import metrics
from runtime.config.settings import Settings
from runtime.health import Health
from runtime.logging import log

Answer = tuple[int, str, bytes]
Route = Callable[[Mapping[str, Any]], object]
"""What a service does when asked: the query of a GET or the JSON object of a POST in, something JSON can say out."""
Routes = Mapping[tuple[str, str], Route]
"""By method (GET or POST) and path; each is asked with the token only."""

NO_ROUTES: Routes = MappingProxyType({})
MAX_BODY_BYTES = 65_536
TIMEOUT_S = 10.0
MAX_CONNECTIONS = 32
MAKE_ROOM_S = 0.05
DISCARD_S, DISCARDED_BYTES = 0.2, 8_192
UNREAD = (401, 404, 405, 411, 413)
"""The answers that are given before a body is read."""


class Refused(Exception):
    """A route says no: an HTTP status, a word for programs and a sentence for people."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error


class Disconnected(Exception):
    """The client is gone, or too slow to send a body."""


class Management:
    """What the listener answers: `/health/live` and `/health/ready` to anybody, the rest with the token."""

    def __init__(self, health: Health, token: str | None, routes: Routes = NO_ROUTES) -> None:
        self._health = health
        self._token = token
        self._routes: Routes = ChainMap(routes, {("GET", "/metrics"): _metrics})  # type: ignore[arg-type] # only read

    def answer(self, method: str, target: str, authorization: str, read: Callable[[], bytes] = bytes) -> Answer:
        """The status, content type and body for a request; `read` reads its body, which only the token allows."""
        try:
            url = urlsplit(target)
            if (method, url.path) == ("GET", "/health/live"):
                return _state(self._health.problems_of_life())
            if (method, url.path) == ("GET", "/health/ready"):
                return _state(self._health.problems(), self._health.warnings())
            self._authorize(authorization)
            route = self._route(method, url.path)
            said = route(dict(parse_qsl(url.query, keep_blank_values=True)) if method == "GET" else _object(read()))
        except Refused as refused:
            return _json(refused.status, {"error": refused.error, "message": str(refused)})
        except Disconnected:
            raise
        except Exception:  # noqa: BLE001 - whatever a route does, the asker gets an answer
            log.exception("management.failed", path=target.partition("?")[0])
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


class Handler(BaseHTTPRequestHandler):
    """Reads one request."""

    timeout = TIMEOUT_S
    server: "Listener"
    server_version, sys_version = "hookstream", ""

    def do_GET(self) -> None:
        self.server.has_read(self.connection)
        self._answer(bytes)

    def do_POST(self) -> None:
        self._answer(self._body)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()):
            raise Refused(411, "length_required", "send a Content-Length")
        if int(length[:20]) > MAX_BODY_BYTES:
            raise Refused(413, "too_large", f"a body has at most {MAX_BODY_BYTES} bytes")
        try:
            body = self.rfile.read(int(length))
        except OSError as lost:
            raise Disconnected from lost
        if len(body) < int(length):
            raise Refused(400, "malformed", "the body ended before its length")
        self.server.has_read(self.connection)
        return body

    def _answer(self, read: Callable[[], bytes]) -> None:
        self._send(*self.server.management.answer(self.command, self.path, self.headers.get("Authorization", ""), read))

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if self.command == "POST" and status in UNREAD:
            self._let_it_arrive()

    def _let_it_arrive(self) -> None:
        """A body that was not read would reset the connection, and its sender could not read the answer."""
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(DISCARD_S)
            for _ in range(MAX_BODY_BYTES // DISCARDED_BYTES):
                if not self.connection.recv(DISCARDED_BYTES):
                    break

    def log_message(self, *_: object) -> None:
        """Probes come every second; they are not worth a line."""


class Listener(ThreadingHTTPServer):
    """Serves a bounded number of connections at once, a thread and a request each.

    When there are as many, the one that has taken longest to send its request makes room for the next: whoever holds
    connections open keeps no probe of health from its answer.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], management: Management) -> None:
        super().__init__(address, Handler)
        self.management = management
        self._free = BoundedSemaphore(MAX_CONNECTIONS)
        self._lock = Lock()
        self._reading: dict[int, socket.socket] = {}

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own, once there is room for it."""
        while not self._free.acquire(timeout=MAKE_ROOM_S):
            self._make_room()
        with self._lock:
            self._reading[id(request)] = request
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.has_read(request)
            self._free.release()

    def has_read(self, request: Any) -> None:
        """This connection has sent its request, and is no longer one to make room."""
        with self._lock:
            self._reading.pop(id(request), None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection broke; the server's own way is a traceback on standard error."""
        log.debug("management.connection_lost", error=type(sys.exception()).__name__)

    def _make_room(self) -> None:
        with self._lock:
            oldest = next(iter(self._reading.values()), None)
        if oldest is not None:
            with suppress(OSError):
                oldest.shutdown(socket.SHUT_RDWR)
            self.has_read(oldest)


def listen(settings: Settings, health: Health, routes: Routes = NO_ROUTES) -> ThreadingHTTPServer:
    """Start answering in threads of its own, until the process ends; `routes` may be filled in later."""
    metrics.watch(health)
    management = Management(health, settings.management_token, routes)
    server = Listener((settings.management_host, settings.management_port), management)
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


def _state(problems: list[str], warnings: Sequence[str] = ()) -> Answer:
    told = {"status": "not ready" if problems else "ok", "problems": problems}
    return _json(503 if problems else 200, told | ({"warnings": list(warnings)} if warnings else {}))


def _json(status: int, body: object) -> Answer:
    return status, "application/json", json.dumps(body).encode()
