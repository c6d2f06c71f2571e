"""The console's ingest beside the gateway's highest rate: `python -m bench.ingest [--quick]`.

64 connections post as fast as the gateway answers, while the console stores what the gateway appends. All other
services are suspended. The delay of a webhook is the time from its receipt by the gateway to its commit in the store of
the console; the ingest keeps up if the delay does not grow, which the first and the last quarter of the webhooks show.
"""

import asyncio
import statistics
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from bench import cost
from bench.rig import figures, system
from bench.rig.figures import Figure
from bench.rig.load import post
from bench.rig.requests import signed
from bench.rig.system import System
from simulator.order import SimulatedOrder
from simulator.story import life

WEBHOOKS, FEW_WEBHOOKS = 40_000, 10_000
WARM_UP = 3000
CONNECTIONS = 64
POLL_S = 0.1
MAX_CATCH_UP_S = 120.0
MEASURED = ("gateway", "console", "kafka", "postgres")
DELAYS = """
SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 - received_at / 1e6
  FROM webhooks WHERE order_id LIKE %s ORDER BY received_at
"""
COUNT = "SELECT count(*) FROM webhooks WHERE order_id LIKE %s"


@dataclass(frozen=True, slots=True)
class Ingest:
    """One run: webhooks accepted per second, stored per second until the last, and CPU µs of each process by name.

    `delays` has the seconds from receipt to commit of each webhook, in order of receipt.
    """

    accepted: float
    stored: float
    cpu_us: dict[str, float]
    delays: Sequence[float]

    def p99_ms(self, quarter: int) -> float:
        """Return the 99th percentile of the delays of one quarter (0 to 3) of the webhooks, in milliseconds."""
        size = len(self.delays) // 4
        return statistics.quantiles(self.delays[quarter * size : (quarter + 1) * size], n=100)[98] * 1000


def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the interface of all benchmarks
    """Post at the highest rate and measure how far the console is behind."""
    with system.system() as started, system.paused(started, "gateway", "console"):
        _run(started, WARM_UP)
        run = _run(started, FEW_WEBHOOKS if quick else WEBHOOKS)
    cpu = ", ".join(f"{name} {value:.0f}" for name, value in run.cpu_us.items())
    return [
        Figure(
            "stored by the console",
            run.stored,
            "webhooks/s",
            "≥ 0.95 x the gateway",
            {"accepted by the gateway": run.accepted},
            note=f"us of CPU a webhook: {cpu}",
        ),
        Figure(
            "receipt to the console's row, p99, last quarter",
            run.p99_ms(3),
            "ms",
            "not growing",
            {"first quarter": run.p99_ms(0)},
        ),
    ]


def _run(started: System, count: int) -> Ingest:
    """Post `count` webhooks and wait until the console has stored them.

    Raises TimeoutError if a webhook is not stored MAX_CATCH_UP_S after the last post.
    """
    run, env = uuid.uuid4().hex[:8], started.env  # noqa: TID251 - a benchmark's orders are new each time
    requests = _requests(run, count, env["WEBHOOK_SECRET"].encode())
    pids = {name: started.pids[name] for name in MEASURED}
    before, began = cost.trees(pids), time.perf_counter()
    answered = asyncio.run(post(int(env["GATEWAY_URL"].rpartition(":")[2]), pids["gateway"], requests, CONNECTIONS))
    with psycopg.connect(env["CONSOLE_DATABASE_URL"], autocommit=True) as store:
        _until_stored(store, run, answered.requests)
        seconds = time.perf_counter() - began
        after = cost.trees(pids)
        delays = [delay for (delay,) in store.execute(DELAYS, [f"SIM-{run}-%"])]
    cpu_us = {name: (after[name] - before[name]) / count * 1e6 for name in MEASURED}
    return Ingest(answered.requests / answered.seconds, count / seconds, cpu_us, delays)


def _requests(run: str, count: int, secret: bytes) -> list[bytes]:
    now = datetime.now(UTC)  # noqa: TID251 - a benchmark's orders are new each time
    return [signed(life(SimulatedOrder(run, number, "en", now))[1], secret) for number in range(count)]


def _until_stored(store: "psycopg.Connection[tuple[int]]", run: str, count: int) -> None:
    until = time.monotonic() + MAX_CATCH_UP_S
    while (stored := _count(store, run)) < count:
        if time.monotonic() > until:
            raise TimeoutError(f"the console has stored {stored} of {count} webhooks after {MAX_CATCH_UP_S:.0f} s")
        time.sleep(POLL_S)


def _count(store: "psycopg.Connection[tuple[int]]", run: str) -> int:
    row = store.execute(COUNT, [f"SIM-{run}-%"]).fetchone()
    return row[0] if row else 0


if __name__ == "__main__":
    figures.main(measure)
