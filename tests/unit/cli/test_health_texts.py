"""What `hookstream status` says about a service's health and store."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cli.clients import health
from cli.commands.system import status
from local.messages import CommandError
from local.services import SERVICES


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


def test_a_store_without_a_url_is_not_known_and_the_error_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for service in SERVICES:
        monkeypatch.delenv(service.variable("DATABASE_URL"), raising=False)
        monkeypatch.delenv(service.variable("AUDIT_URL"), raising=False)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setattr("cli.environment.ROOT", tmp_path)

    with answering(200, b"{}") as url:
        for service in SERVICES:
            monkeypatch.setenv(service.variable("MANAGEMENT_URL"), url)
        with pytest.raises(CommandError, match=r"set .*PAYMENT_DATABASE_URL.* here"):
            status.status()

    assert "Traceback" not in capfd.readouterr().err
