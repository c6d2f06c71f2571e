"""An alert reaches a real receiver once, signed, is retried while the receiver is away, and is told to be over."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import Engine
from standardwebhooks.webhooks import Webhook

from console.alerts import channels as channels_of
from console.alerts.conditions import Conditions
from console.alerts.settings import Thresholds
from console.alerts.watcher import Watcher
from console.pages.overview import wrong_signatures
from console.settings import ConsoleSettings
from runtime import clock
from runtime.clients.management_client import ManagementClient
from runtime.postgres.engine import engine
from tests.actors import Shop, Store, new_order, until
from tests.consoles import another_console

SECRET = "whsec_" + "c2VjcmV0LW9mLXRoZS1hbGVydHMtdGVzdA=="
THRESHOLDS = Thresholds(oldest_event_s=300.0, silent_s=0.0, failing_signatures=3)
MINUTE_US = 60_000_000


class Receiver:
    """A real HTTP server that stores what is posted to it; it answers `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.posted: list[tuple[str, dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posted.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, path: str, kind: str) -> list[dict[str, Any]]:
        """The payloads of a kind posted to a path."""
        payloads = [json.loads(body) for posted, _, body in self.posted if posted == path]
        return [payload for payload in payloads if payload.get("data", {}).get("kind") == kind]

    def texts(self, path: str) -> list[str]:
        return [json.loads(body)["text"] for posted, _, body in self.posted if posted == path]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()


@contextmanager
def watching(system: dict[str, str], receiver: Receiver) -> Iterator[Watcher]:
    """A watcher over the running system's log that sends to the receiver, and by e-mail through the notifier."""
    urls = {"notifier": system["NOTIFIER_MANAGEMENT_URL"], "payment": system["PAYMENT_MANAGEMENT_URL"]}
    client = ManagementClient(urls, system["MANAGEMENT_TOKEN"], 10.0)
    settings = ConsoleSettings.model_construct(
        alert_webhook_url=f"{receiver.url}/hook", alert_webhook_secret=SECRET, alert_slack_url=f"{receiver.url}/slack"
    )
    log_store: Engine = engine(system["CONSOLE_DATABASE_URL_OWN"], service="alerts-test")
    try:
        sending = channels_of.channels(settings, client)
        yield Watcher(
            log_store, Conditions(THRESHOLDS, client, wrong_signatures.alert_texts), sending, check_s=1, interval_s=0
        )
    finally:
        log_store.dispose()


@pytest.fixture
def own(system: dict[str, str]) -> dict[str, str]:
    return {**system, "CONSOLE_DATABASE_URL_OWN": system["CONSOLE_DATABASE_URL"]}


def forged(system: dict[str, str], shop: Shop, kind: str) -> int:
    """Post webhooks with a wrong signature, and return the time once the log has them."""
    began = clock.now()
    for _ in range(4):
        shop.post(kind, {"orderId": new_order(), "status": "completed"}, X_Webhook_Signature="0" * 64)
    refused = (  # other tests forge requests of other providers
        "SELECT 1 FROM refusals WHERE cause = 'invalid_signature' AND provider = 'generic' AND received_at >= %s"
    )
    Store(system["CONSOLE_DATABASE_URL"]).wait_for(refused, began, count=3)
    return clock.now()


def work(watcher: Watcher, now: int) -> None:
    watcher.evaluate(now)
    while watcher.deliver_next(now):
        pass


def test_a_failing_secret_is_told_once_retried_and_over(own: dict[str, str], shop: Shop, receiver: Receiver) -> None:
    now = forged(own, shop, "payment")

    with watching(own, receiver) as watcher:
        receiver.status = 503
        work(watcher, now)
        refused = len(receiver.of("/hook", "secret_failing"))
        receiver.status = 200
        for later in range(1, 4):
            work(watcher, now + later * MINUTE_US)
        reported = receiver.of("/hook", "secret_failing")
        work(watcher, now + 12 * MINUTE_US)
        over = receiver.of("/hook", "secret_failing")[len(reported) :]

    assert (refused, len(reported)) == (1, 2)
    assert reported[0]["id"] == reported[1]["id"]
    assert "generic" in {alert["subject"] for alert in reported[1]["data"]["alerts"]}  # other tests forge, too
    assert reported[1]["data"]["count"] >= 3
    assert [payload["type"] for payload in over] == ["alert.over"]
    assert any("of Generic webhook were refused" in text for text in receiver.texts("/slack"))
    notifier = Store(own["NOTIFIER_DATABASE_URL"])  # which mails alerts together, every ALERT_INTERVAL
    notifier.wait_for(
        "SELECT 1 FROM operator_alerts AS alert WHERE alert::text LIKE %s", "%of Generic webhook were refused%"
    )


def test_a_console_with_receivers_tells_them(system: dict[str, str], shop: Shop, receiver: Receiver) -> None:
    settings = {"ALERT_WEBHOOK_URL": f"{receiver.url}/hook", "ALERT_WEBHOOK_SECRET": SECRET, "ALERT_CHECK_S": "0.5"}
    more = {"ALERT_SLACK_URL": f"{receiver.url}/slack", "ALERT_FAILING_SIGNATURES": "3", "ALERT_INTERVAL_S": "0"}
    forged(system, shop, "shipping")

    with another_console(system, **settings, **more):
        until(lambda: receiver.of("/hook", "secret_failing"), bool)
        until(
            lambda: receiver.texts("/slack"),
            lambda texts: any("of Generic webhook were refused" in text for text in texts),
        )

    posted = [(headers, body) for path, headers, body in receiver.posted if path == "/hook"]
    assert all(Webhook(SECRET).verify(body, headers) for headers, body in posted)


def test_a_message_is_signed_as_standard_webhooks(own: dict[str, str], shop: Shop, receiver: Receiver) -> None:
    forged(own, shop, "refund")
    with watching(own, receiver) as watcher:
        work(watcher, clock.now() + 24 * 60 * MINUTE_US)  # whatever was open is over
        work(watcher, clock.now())

    path, headers, body = receiver.posted[-1] if receiver.posted[-1][0] == "/hook" else receiver.posted[-2]
    assert path == "/hook"
    assert Webhook(SECRET).verify(body, headers)
    assert headers["webhook-id"] == json.loads(body)["id"]


def test_only_one_of_several_watchers_tells(own: dict[str, str], shop: Shop, receiver: Receiver) -> None:
    with watching(own, receiver) as first, watching(own, receiver) as second:
        work(first, clock.now() + 24 * 60 * MINUTE_US)  # whatever was open is over
        before = len(receiver.of("/hook", "secret_failing"))
        now = forged(own, shop, "shipping")
        threads = [Thread(target=work, args=(watcher, now)) for watcher in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(receiver.of("/hook", "secret_failing")) == before + 1
