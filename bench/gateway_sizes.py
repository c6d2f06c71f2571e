"""CPU per webhook by size and log level, and latency over one connection: `python -m bench.gateway_sizes [--quick]`.

The limit is a bare Litestar `@post` handler that answers at once, on the same server. `BEFORE=PATH` adds the gateway
of another checkout, with that checkout's own Python.
"""

import asyncio
import hmac
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.rig import figures, system
from bench.rig.figures import Figure
from bench.rig.load import Cost, post, resident_mb, waits
from stream.kafka import admin
from stream.kafka.cluster import Cluster

CONNECTIONS = 64
SINGLE_REQUESTS = 200
READY_TIMEOUT_S = 60.0
REQUESTS = {"150 B": 4000, "2 KB": 2500, "50 KB": 400}
ITEMS = {"150 B": 0, "2 KB": 22, "50 KB": 590}
"""Entries of the list that brings the body to each size."""
GOAL = {"150 B": "≤ 1.0"}
BARE = "bare @post"
LOG_LEVELS = ("warning", "info")


@dataclass(frozen=True, slots=True)
class Side:
    """A gateway to measure: the port it listens on, and its process id."""

    port: int
    pid: int


def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - figures.Measure
    """Measure all servers in turn, so that other load on the machine affects each of them."""
    with system.system(services=False) as base, ExitStack() as stack:
        admin.create_all(Cluster.of_environment(base.env, "bench"))
        sides = {BARE: stack.enter_context(_started(system.ROOT, "bench.peers.bare", {}, base.data))}
        for level in LOG_LEVELS:
            sides[level] = stack.enter_context(_gateway(system.ROOT, level, base))
        if before := os.environ.get("BEFORE"):
            sides["before, info"] = stack.enter_context(_gateway(Path(before), "info", base))
        secret = base.env["WEBHOOK_SECRET"].encode()
        for name, side in sides.items():
            _until_accepting(name, side, secret)
        costs = {size: _costs(sides, size, secret, 2 if quick else 4) for size in REQUESTS}
        found = [_figure(size, name, rounds) for size, by in costs.items() for name, rounds in by.items()]
        return [*found, *_single_connection(sides, secret), *_memory(sides)]


def _until_accepting(name: str, side: Side, secret: bytes) -> None:
    """Post until a webhook is accepted: on a busy machine a producer's first append is slow and may be answered 503.

    Raises TimeoutError after READY_TIMEOUT_S.
    """
    until = time.monotonic() + READY_TIMEOUT_S
    while asyncio.run(post(side.port, side.pid, [_request(secret, 0)], 1)).requests == 0:
        if time.monotonic() > until:
            raise TimeoutError(f"{name} accepted no webhook in {READY_TIMEOUT_S:.0f} s")


def _costs(sides: Mapping[str, Side], size: str, secret: bytes, rounds: int) -> dict[str, list[Cost]]:
    """Return each gateway's costs by round, with `cpu_us` as a multiple of the bare handler's in that round.

    The warm-up round before them is left out. Raises RuntimeError when a webhook is not accepted.
    """
    costs = defaultdict(list)
    for number in range(rounds + 1):
        for name in sorted(sides, reverse=bool(number % 2)):
            requests = [_request(secret, ITEMS[size]) for _ in range(REQUESTS[size] // (1 if number else 4))]
            cost = asyncio.run(post(sides[name].port, sides[name].pid, requests, CONNECTIONS))
            if cost.requests < len(requests):
                raise RuntimeError(f"{name} accepted {cost.requests} of {len(requests)} webhooks")
            if number:
                costs[name].append(cost)
    bare = [cost.cpu_us for cost in costs.pop(BARE)]
    print(f"{size}: {BARE} {statistics.median(bare):.0f} us", file=sys.stderr)
    for name, own in costs.items():
        for at, cost in enumerate(own):
            own[at] = Cost(cost.requests, cost.seconds, cost.cpu_us / bare[at])
        print(f"{size}: {name} {statistics.median(cost.cpu_us for cost in own):.2f} x", file=sys.stderr)
    return dict(costs)


def _figure(size: str, name: str, rounds: list[Cost]) -> Figure:
    ratios = [cost.cpu_us for cost in rounds]
    return Figure(
        f"gateway, {size}, log level {name}", statistics.median(ratios), f"x {BARE}", GOAL.get(size, ""), rounds=ratios
    )


def _single_connection(sides: Mapping[str, Side], secret: bytes) -> list[Figure]:
    """Return each side's median time to an answer over one connection that posts one webhook after the other."""
    found = []
    for name, side in sides.items():
        times = asyncio.run(waits(side.port, [_request(secret, 0) for _ in range(SINGLE_REQUESTS)]))
        median, p99 = statistics.median(times) * 1e3, statistics.quantiles(times, n=100)[98] * 1e3
        found.append(Figure(f"one connection, {name}", median, "ms", note=f"p99 {p99:.1f} ms"))
    return found


def _memory(sides: Mapping[str, Side]) -> list[Figure]:
    return [Figure(f"memory, {name}", resident_mb(side.pid), "MB", "≤ 100") for name, side in sides.items()]


@contextmanager
def _started(root: Path, module: str, env: Mapping[str, str], folder: Path) -> Iterator[Side]:
    port = system.free_port()
    python = root / ".venv/bin/python"
    argv = [str(python if python.exists() else sys.executable), "-m", module, str(port)]
    with (folder / f"{module}-{port}.log").open("wb") as log:
        process = subprocess.Popen(argv, cwd=root, env={**os.environ, **env, "PORT": str(port)}, stderr=log)
    try:
        system.until_listening(port)
        yield Side(port, process.pid)
    finally:
        process.kill()
        process.wait()


@contextmanager
def _gateway(root: Path, level: str, base: system.System) -> Iterator[Side]:
    own = {"HOST": "127.0.0.1", "MANAGEMENT_PORT": "0", "RATE_LIMIT": "off", "LOG_LEVEL": level, "MODE": "test"}
    names = ("KAFKA_BOOTSTRAP_SERVERS", "WEBHOOK_SECRET")
    env = {name: base.env[name] for name in names}
    with _started(root, "gateway", {**env, **own}, base.data) as side:
        yield side


def _request(secret: bytes, items: int) -> bytes:
    order = uuid.uuid4().hex[:12]  # noqa: TID251 - a benchmark's orders are new each time
    content: dict[str, object] = {
        "type": "payment",
        "orderId": order,
        "status": "completed",
        "paymentMethod": "card",
        "transactionId": f"TXN-{order}",
        "amount": 58000,
        "paidAt": "2023-11-15T10:30:00Z",
    }
    if items:
        content["items"] = [
            {"sku": f"S-{n}", "name": "상품 한 개", "price": n * 100, "note": "a: b"} for n in range(items)
        ]
    body = json.dumps(content, ensure_ascii=False).encode()
    signature = hmac.digest(secret, body, "sha256").hex()
    head = (
        f"POST /webhooks/payment HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"X-Webhook-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


if __name__ == "__main__":
    began = time.monotonic()
    figures.main(measure)
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
