"""Every page of a running console at 10^6 webhooks, over HTTP, beside a page of `SELECT 1`: `python -m bench.pages`.

One client requests page after page, in rounds, so that other load on the machine affects all pages alike. The whole
system runs, because pages of mails, replays and providers ask its services. CPU is that of the console and of all
Postgres backends.
"""

import random
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench import cost
from bench.rig import figures, system
from bench.rig.console_rows import fill, issue_id, webhook_id
from bench.rig.figures import Figure
from bench.rig.page_client import PageClient
from runtime import clock, logging
from runtime.postgres.engine import engine

ROWS, FEW_ROWS = 1_000_000, 200_000
ROUNDS, QUICK_ROUNDS, IN_A_ROW = 10, 4, 10
SEED = 16
GOAL = "p95 < 200"
PEER = "a page of SELECT 1"
OK = 200
Pages = Mapping[str, Callable[[], str]]


@dataclass(slots=True)
class Cost:
    """The milliseconds of each request of one page, and the CPU seconds of all of them together, by process."""

    took_ms: list[float] = field(default_factory=list)
    cpu_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def cpu_ms(self, process: str) -> float:
        """Return the mean CPU milliseconds of a request in a process: `console`, `postgres` or `peer`."""
        return self.cpu_s[process] * 1000 / len(self.took_ms)

    @property
    def p95(self) -> float:
        """The 95th percentile of `took_ms`."""
        return statistics.quantiles(self.took_ms, n=100)[94]


def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - every benchmark's interface
    """Fill a running console's store and ask for every page."""
    logging.configure("bench", "warning")
    rows, rounds = (FEW_ROWS, QUICK_ROUNDS) if quick else (ROWS, ROUNDS)
    with system.system() as started:
        env = started.env
        store = engine(env["CONSOLE_DATABASE_URL"], service="bench")
        start = fill(store, rows)
        with store.connect() as tx:
            webhooks = [webhook_id(tx, number) for number in random.Random(SEED).sample(range(rows), 200)]  # noqa: S311
        store.dispose()
        pids = {name: pid for name, pid in started.pids.items() if name in ("console", "postgres")}
        client = PageClient(env["CONSOLE_URL"])
        client.log_in(env["CONSOLE_USER"], env["CONSOLE_PASSWORD"])
        with _select_one(env["CONSOLE_DATABASE_URL"]) as (peer, pid):
            ask = {PEER: lambda: peer.ask("/").took_ms} | {
                name: _asking(client, path) for name, path in pages(rows, start, webhooks).items()
            }
            costs = _rounds(ask, {**pids, "peer": pid}, rounds)
    alone = costs.pop(PEER)
    own = Figure(PEER, statistics.median(alone.took_ms), "ms", note=_note(alone, "peer"))
    return [own, *(_figure(name, found, alone) for name, found in costs.items())]


def pages(rows: int, start: int, webhooks: list[str]) -> Pages:
    """Return, by the page's name, functions that return its path: of another order, webhook or issue at each call.

    `rows` and `start` are the argument and the result of `fill`; `webhooks` are ids of webhooks to choose from.
    """
    choice = random.Random(SEED)  # noqa: S311 - not a secret
    day = clock.to_datetime(start + 3 * clock.DAY_US)
    dates = f"from={day:%Y-%m-%d}" if day else ""

    def order() -> str:
        return f"o_{choice.randrange(rows // 3)}"

    return {
        "1 search for an order": lambda: f"/search?q={order()}",
        "1 search for a provider's id": lambda: f"/search?q=evt_{choice.randrange(rows)}",
        "1 search for a value of every body": lambda: "/search?q=58000",
        "1 search for a path and a value": lambda: f"/search?q=orderId%3D{order()}",
        "1 search in vain": lambda: "/search?q=nobody@example.test",
        "2 newest orders": lambda: "/orders",
        "2 order": lambda: f"/orders/{order()}",
        "2 origin of a value": lambda: f"/orders/{order()}/why/paid_amount",
        "3 log": lambda: "/webhooks",
        "3 log of FAILED": lambda: "/webhooks?status=FAILED",
        "3 log of a provider": lambda: "/webhooks?provider=TOSS",
        "3 webhook": lambda: f"/webhooks/{choice.choice(webhooks)}",
        "4 overview": lambda: "/",
        "5 issues": lambda: "/issues",
        "5 issue": lambda: f"/issues/{issue_id(choice.randrange(20))}",
        "6 quarantine": lambda: "/quarantine",
        "6 quarantine of a provider": lambda: "/quarantine?provider=toss",
        "7 mails": lambda: "/mails",
        "8 replays": lambda: "/replays",
        "9 providers": lambda: "/providers",
        "10 statistics": lambda: "/statistics",
        "10 statistics of a month": lambda: f"/statistics?{dates}",
        "11 audit": lambda: "/audit",
        "11 audit of an action": lambda: "/audit?action=issue.redrive",
    }


def _asking(client: PageClient, path: Callable[[], str]) -> Callable[[], float]:
    """Return a function that requests a page, follows a redirect, and returns the milliseconds of both.

    The function raises RuntimeError unless the page is answered 200.
    """

    def ask() -> float:
        wanted = path()
        answer = client.ask(wanted)
        took_ms = answer.took_ms
        if answer.location:
            answer = client.ask(answer.location)
            took_ms += answer.took_ms
        if answer.status != OK:
            raise RuntimeError(f"{wanted} is answered {answer.status}")
        return took_ms

    return ask


def _rounds(ask: Mapping[str, Callable[[], float]], pids: Mapping[str, int], rounds: int) -> dict[str, Cost]:
    costs: dict[str, Cost] = defaultdict(Cost)
    for _ in range(rounds):
        for name, once in ask.items():
            before = cost.trees(pids)
            costs[name].took_ms += [once() for _ in range(IN_A_ROW)]
            for process, seconds in cost.trees(pids).items():
                costs[name].cpu_s[process] += seconds - before[process]
    return dict(costs)


def _figure(name: str, found: Cost, alone: Cost) -> Figure:
    median = statistics.median(found.took_ms)
    return Figure(
        f"page {name}", median, "ms", GOAL, {PEER: statistics.median(alone.took_ms)}, note=_note(found, "console")
    )


def _note(found: Cost, process: str) -> str:
    cpu = f"CPU {found.cpu_ms(process):.1f} ms, and {found.cpu_ms('postgres'):.1f} ms in Postgres"
    return f"p95 {found.p95:.3g}, worst {max(found.took_ms):.3g}, {cpu}"


@contextmanager
def _select_one(database_url: str) -> Iterator[tuple[PageClient, int]]:
    port = system.free_port()
    argv = (sys.executable, "-m", "bench.peers.select_one", str(port), database_url)
    with subprocess.Popen(argv, cwd=system.ROOT) as process:
        try:
            system.until_listening(port)
            yield PageClient(f"http://127.0.0.1:{port}"), process.pid
        finally:
            process.terminate()


if __name__ == "__main__":
    figures.main(measure)
