"""An HTTP listener for health, metrics and a service's management API, apart from the public listener."""

import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore, Lock, Thread

from runtime import metrics
from runtime.config.settings import Settings
from runtime.health import Health
from runtime.logging import log
from runtime.management.router import Disconnected, Router
from runtime.management.routes import NO_ROUTES, RequestRefused, Routes

MAX_BODY_BYTES = 65_536
TIMEOUT_S = 10.0
"""Timeout of each read and write on a connection."""
MAX_CONNECTIONS = 32
MAKE_ROOM_S = 0.05
"""Seconds that a new connection waits for a free place before the slowest sender is disconnected."""
DISCARD_S, DISCARDED_BYTES = 0.2, 8_192
"""Timeout and size of each read of a body that is dropped."""
BODY_UNREAD = (401, 404, 405, 411, 413)
"""Statuses that are sent before a body is read."""


class RequestHandler(BaseHTTPRequestHandler):
    """Reads one request of a connection and sends the answer of the router. HEAD is a GET without the content."""

    timeout = TIMEOUT_S
    server: "Listener"
    server_version, sys_version = "hookstream", ""

    def do_GET(self) -> None:
        self.server.request_received(self.connection)
        self._answer(bytes)

    do_HEAD = do_GET

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
        method = "GET" if self.command == "HEAD" else self.command
        self._send(*self.server.router.answer(method, self.path, self.headers.get("Authorization", ""), read))

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        if self.command not in ("GET", "HEAD") and status in BODY_UNREAD:
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

    def __init__(self, address: tuple[str, int], router: Router) -> None:
        super().__init__(address, RequestHandler)
        self.router = router
        self._free = BoundedSemaphore(MAX_CONNECTIONS)
        self._lock = Lock()
        self._reading: dict[int, Incoming] = {}

    def process_request(self, request: Incoming, client_address: object) -> None:
        """Serve a connection in a thread, once fewer than MAX_CONNECTIONS are in use; until then close slow ones."""
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
        """Note that a connection has sent its request, so that it is not closed to make room for another."""
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
    """Serve in daemon threads until the process ends; return the server, which listens already.

    Routes may be added to `routes` later. Also exports the health as metrics. Raises OSError if the port is taken.
    """
    metrics.watch(health)
    router = Router(health, settings.management_token, routes)
    server = Listener((settings.management_host, settings.management_port), router)
    Thread(target=server.serve_forever, name="management", daemon=True).start()
    return server
