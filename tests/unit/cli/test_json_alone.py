"""With --json, standard output is JSON even when a service does not answer."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from cli.commands.log import order


class Console(BaseHTTPRequestHandler):
    """A console that knows one order."""

    def do_GET(self) -> None:
        body = json.dumps({"orderId": "1", "webhooks": []}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def console_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Console) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_order_without_the_notifier_is_json_with_mails_unknown(
    console_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "CONSOLE_URL": console_url,
        "CONSOLE_TOKEN": "token",
        "NOTIFIER_MANAGEMENT_URL": "http://127.0.0.1:1",
        "MANAGEMENT_TOKEN": "token",
    }.items():
        monkeypatch.setenv(name, value)

    order.order("1", as_json=True)

    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"orderId": "1", "webhooks": [], "unsentMails": None}
    assert "the unsent mails of this order are not known" in printed.err
