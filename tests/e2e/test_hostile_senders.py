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
    told = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return int(told["VmHWM"].split()[0]) // 1024
