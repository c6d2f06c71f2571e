"""Health and metrics on a listener of their own, away from the public one."""

import hmac
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from runtime.health import Health
from runtime.settings import Settings

Answer = tuple[int, str, bytes]


class Management:
    """What the listener answers: `/health/live` and `/health/ready` to anybody, the rest with the token."""

    def __init__(self, health: Health, token: str | None) -> None:
        self._health = health
        self._token = token

    def answer(self, path: str, authorization: str) -> Answer:
        """The status, content type and body for a GET of `path`."""
        if path == "/health/live":
            return _state(self._health.problems_of_life())
        if path == "/health/ready":
            return _state(self._health.problems())
        if not self._permits(authorization):
            return _json(401, {"error": "unauthorized", "message": "send the management token as a bearer token"})
        if path == "/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest(REGISTRY)
        return _json(404, {"error": "unknown_path", "message": "nothing is here"})

    def _permits(self, authorization: str) -> bool:
        if not self._token:
            return False
        return hmac.compare_digest(authorization.encode(), f"Bearer {self._token}".encode())


def listen(settings: Settings, health: Health) -> ThreadingHTTPServer:
    """Start answering in a thread of its own, until the process ends."""
    management = Management(health, settings.management_token)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content_type, body = management.answer(self.path, self.headers.get("Authorization", ""))
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


def _state(problems: list[str]) -> Answer:
    return _json(503 if problems else 200, {"status": "not ready" if problems else "ok", "problems": problems})


def _json(status: int, body: object) -> Answer:
    return status, "application/json", json.dumps(body).encode()
