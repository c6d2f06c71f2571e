"""A request leaves no reference cycle, since the garbage collector runs rarely (runtime/gc_tuning.py).

A refused body in a cycle would stay until 100,000 more objects were allocated: up to a gigabyte of bodies.
"""

import asyncio
import gc
import hmac
from collections.abc import Iterator
from typing import Any

import pytest

from gateway import app
from gateway.append.appender import Appender
from gateway.append.durable_append import DurableAppend
from gateway.intake.authentication import Authentication
from gateway.intake.provider_states import ProviderStates
from gateway.intake.webhooks import WebhookEndpoint
from gateway.settings import GatewaySettings
from runtime.health import Health
from stream.avro.codec import Codec
from stream.avro.registry import CommittedRegistry
from stream.kafka.cluster import Cluster

SECRET = "a secret of the tests"  # noqa: S105
BODY = b'{"orderId": 1, "status": "completed"}'
REQUESTS = 20


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> GatewaySettings:
    values = {
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",  # nobody listens there: nothing is acknowledged
        "WEBHOOK_SECRET": SECRET,
        "RATE_LIMIT": "off",
        "LOG_LEVEL": "error",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return GatewaySettings.read()


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.freeze()  # what other tests left is not looked through again
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


def a_scope(method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
    """A request as granian hands it on."""
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
    }


def signed(body: bytes) -> str:
    return hmac.digest(SECRET.encode(), body, "sha256").hex()


async def _answered(
    settings: GatewaySettings, method: str, path: str, body: bytes, headers: dict[str, str]
) -> tuple[set[int], int]:
    """The statuses of REQUESTS requests, and how many objects they left in cycles."""
    appender, codec, authentication = (
        Appender(Cluster.of(settings, "gateway")),
        Codec(CommittedRegistry()),
        Authentication(settings),
    )
    webhooks = WebhookEndpoint(
        settings, codec, appender, DurableAppend(appender, None), authentication, ProviderStates(codec)
    )
    application = app.create(settings, webhooks, Health())
    statuses: set[int] = set()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        statuses.add(message.get("status", 0))

    async def ask() -> None:
        every = {"host": "h", "content-type": "application/json", "content-length": str(len(body)), **headers}
        await application(a_scope(method, path, every), receive, send)

    await asyncio.create_task(ask())  # what the first request makes stays for the others
    gc.collect()
    await asyncio.gather(*(ask() for _ in range(REQUESTS)))
    return statuses - {0}, gc.collect()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("POST", "/webhooks/payment", BODY, {"x-webhook-signature": "0" * 64}, 401),
        ("POST", "/webhooks/payment", BODY, {"x-webhook-signature": signed(BODY)}, 503),
        ("POST", "/webhooks/payment", b"{", {"x-webhook-signature": signed(b"{")}, 503),
        ("POST", "/webhooks/payment", BODY, {"content-type": "text/plain"}, 415),
        ("POST", "/webhooks/payment", BODY, {"content-length": "x"}, 400),
        ("POST", "/nothing", BODY, {}, 404),
        ("GET", "/webhooks/payment", b"", {}, 405),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_request_leaves_no_cycle(
    settings: GatewaySettings, method: str, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    statuses, cyclic = asyncio.run(_answered(settings, method, path, body, headers))

    assert (statuses, cyclic) == ({status}, 0)
