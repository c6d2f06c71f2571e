"""What `hookstream status` says about a service's health and store."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cli.clients import health
from local.services import SERVICES
from tests.unit.cli.elsewhere import hookstream


@contextmanager
def answering(code: int, body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"problems": ["waits for Kafka", "paused"]}', "waits for Kafka; paused"),
        (b'{"problems": []}', "answers HTTP 503"),
        (b"away", "answers HTTP 503"),
    ],
)
def test_a_refusal_is_never_an_empty_text(body: bytes, text: str) -> None:
    with answering(503, body) as url:
        assert health.check(url) == text


def test_a_store_without_a_url_is_not_known_and_the_error_names_the_variable(tmp_path: Path) -> None:
    with answering(200, b"{}") as url:
        managed = {service.variable("MANAGEMENT_URL"): url for service in SERVICES}
        done = hookstream(tmp_path, "status", env={**managed, "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"})

    assert done.returncode == 1
    assert re.search(r"set .*PAYMENT_DATABASE_URL.* here", done.stderr)
    assert "Traceback" not in done.stderr
