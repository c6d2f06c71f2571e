"""CPU per accepted, durable webhook beside a bare handler, FastAPI and Go: `python -m bench.gateway [--quick]`.

All servers get the same requests over 64 connections, one server after the other. Then they get requests over one
connection, which gives the latency for a sender that posts one webhook after the other.
"""

import asyncio
import statistics
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bench import cost
from bench.peers import fastapi_gateway, gateway_peers
from bench.peers.gateway_peers import Server
from bench.rig import figures, system
from bench.rig.figures import Figure
from bench.rig.load import post
from bench.rig.requests import signed
from bench.rig.system import System
from simulator.order import SimulatedOrder
from simulator.story import SimulatedWebhook, life

ROUNDS, REQUESTS, CONNECTIONS = 4, 6000, 64
QUICK_ROUNDS, QUICK_REQUESTS = 2, 3000
ALONE = 300
"""Requests over one connection."""
GATEWAY, BARE, FASTAPI, GO = "gateway", "bare Litestar @post", "FastAPI + aiokafka", "Go + franz-go"


def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the interface of all benchmarks
    """Measure CPU per webhook, latency over one connection, and memory."""
    fastapi_gateway.python()
    go = gateway_peers.go_program()
    with system.system() as started, system.paused(started, "gateway"), _servers(started, go) as servers:
        secret = started.env["WEBHOOK_SECRET"].encode()
        rounds = _rounds(servers, secret, quick=quick)
        alone = {name: _alone(server, secret) for name, server in servers.items()}
        memory = {name: cost.proportional_mb(pid) for name, (_, pid) in servers.items()}
    cpu = {name: statistics.median(values) for name, values in rounds.items()}
    return [
        Figure("CPU per webhook", cpu.pop(GATEWAY), "us", "≤ 1.0 bare, ≤ 0.57 FastAPI, ≤ 2.5 Go", cpu, rounds[GATEWAY]),
        Figure("answer, one connection, p50", alone.pop(GATEWAY), "ms", "", alone),
        Figure("memory after load", memory.pop(GATEWAY), "MB", "", memory),
    ]


@contextmanager
def _servers(started: System, program: Path | None) -> Iterator[dict[str, Server]]:
    env = started.env
    fastapi_gateway.create_topics(env)
    own = int(env["GATEWAY_URL"].rpartition(":")[2]), started.pids["gateway"]
    with gateway_peers.bare() as bare, gateway_peers.fastapi(env) as fastapi, gateway_peers.go(program, env) as go:
        servers = {GATEWAY: own, BARE: bare, FASTAPI: fastapi}
        yield servers | ({GO: go} if go else {})


def _rounds(servers: Mapping[str, Server], secret: bytes, *, quick: bool) -> dict[str, list[float]]:
    """Return the microseconds of CPU per webhook in each round, by server. A warm-up round before them is left out."""
    count, requests = (QUICK_ROUNDS, QUICK_REQUESTS) if quick else (ROUNDS, REQUESTS)
    found: dict[str, list[float]] = {name: [] for name in servers}
    for number in range(count + 1):
        for name in sorted(servers, reverse=bool(number % 2)):
            port, pid = servers[name]
            before = cost.trees({name: pid})[name]
            answered = asyncio.run(post(port, pid, _requests(requests, secret), CONNECTIONS)).requests
            if number:
                found[name].append((cost.trees({name: pid})[name] - before) / answered * 1e6)
    return found


def _alone(server: Server, secret: bytes) -> float:
    """Return the mean milliseconds to an answer over one connection, the median of three runs."""
    costs = [asyncio.run(post(*server, _requests(ALONE, secret), 1)) for _ in range(3)]
    return statistics.median(cost_.seconds / cost_.requests for cost_ in costs) * 1000


def _requests(count: int, secret: bytes) -> list[bytes]:
    return [signed(webhook, secret) for webhook in _payments(count)]


def _payments(count: int) -> Iterator[SimulatedWebhook]:
    run, now = uuid.uuid4().hex[:8], datetime.now(UTC)  # noqa: TID251 - a benchmark's orders are new each time
    for number in range(count):
        yield life(SimulatedOrder(run, number, "en", now))[1]


if __name__ == "__main__":
    figures.main(measure)
