"""Whoever holds connections open, sends without end or packs bombs keeps nobody else from being served."""

import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.actors import Shop, new_order, until
from tests.e2e.hostile import KINDS
from tests.gateways import Gateway, another_gateway

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
PROMISED_S = 3.5
"""A webhook is answered by then, whatever happens."""
GROWTH_MB = 250
SERVED = 30


@pytest.fixture(scope="module")
def gateway(system: dict[str, str]) -> Iterator[Gateway]:
    """One of its own, with as many open files as the machine lets it have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with another_gateway(system, RATE_LIMIT="off") as one:
            yield one
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("kind", KINDS)
def test_others_are_served_in_time_and_memory_stays_bounded(kind: str, gateway: Gateway) -> None:
    before = resident_mb(gateway.pid)
    waited: list[float] = []
    argv = [sys.executable, "-m", "tests.e2e.hostile", kind, gateway.shop.url]

    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as attack:
        while attack.poll() is None or len(waited) < SERVED:
            began = time.monotonic()
            assert pay(gateway.shop) == 200
            waited.append(time.monotonic() - began)
            time.sleep(0.02)
        did, _ = attack.communicate()
    grown = resident_mb(gateway.pid) - before
    waited.sort()
    middle, last = (round(seconds * 1000) for seconds in (waited[len(waited) // 2], waited[-1]))
    print(f"{did.strip()}: {len(waited)} others served, median {middle} ms, slowest {last} ms, {grown} MB more")  # noqa: T201

    assert attack.returncode == 0
    assert waited[-1] < PROMISED_S
    assert grown < GROWTH_MB


@pytest.mark.parametrize("filler", [b"1.0, ", b'"\\u00e9", ', b"{ }, "], ids=["numbers", "escapes", "objects"])
def test_a_forgery_that_could_be_signed_in_another_form_costs_no_more_than_one_that_could_not(
    filler: bytes, gateway: Gateway
) -> None:
    size = 260_000
    plain = cpu_ms_of_a_forgery(gateway, b"x" * size)
    expensive = cpu_ms_of_a_forgery(gateway, b"[" + filler * (size // len(filler)) + b"1]")
    small = cpu_ms_of_a_forgery(gateway, b"{}")
    print(f"CPU of a forgery: {expensive:.2f} ms; as long, without another form: {plain:.2f} ms; small: {small:.2f} ms")  # noqa: T201

    assert expensive < 4 * plain  # parsed and written again: 30 times


def cpu_ms_of_a_forgery(gateway: Gateway, body: bytes, count: int = 150) -> float:
    headers = {"Content-Type": "application/json", "X-Webhook-Signature": "0" * 64}
    before = cpu_ms(gateway.pid)
    statuses = {gateway.shop.request("POST", "/webhooks/payment", body, headers).status for _ in range(count)}
    assert statuses == {401}
    return (cpu_ms(gateway.pid) - before) / count


def cpu_ms(process: int) -> float:
    """What its threads have used, in nanoseconds of the scheduler's own count."""
    threads = Path(f"/proc/{process}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e6


def test_a_gateway_without_a_free_file_serves_again_once_some_are_closed(gateway: Gateway) -> None:
    limits = resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE)
    used = len(list(Path(f"/proc/{gateway.pid}/fd").iterdir()))
    address = urlsplit(gateway.shop.url)

    resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (used + 20, limits[1]))
    with ExitStack() as held:
        for _ in range(100):
            held.enter_context(socket.create_connection((address.hostname, address.port), timeout=5))
    answered = until(lambda: pays(gateway.shop), bool)
    resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, limits)

    assert answered


def pays(shop: Shop) -> bool:
    with suppress(OSError, HTTPException):
        return pay(shop) == 200
    return False


def pay(shop: Shop) -> int:
    """Over a connection of its own."""
    return shop.post("payment", {"orderId": new_order(), "status": "completed"}).status


def resident_mb(process: int) -> int:
    published = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return int(published["VmHWM"].split()[0]) // 1024
