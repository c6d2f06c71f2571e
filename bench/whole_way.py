"""The whole way, from a post to its row and its mail: `python -m bench.whole_way [--rate 50] [--seconds 60]`.

The benchmark measures CPU per webhook by process, latencies in an open loop, and whether lag stays flat. `--at PATH`
measures another checkout, `--peer` measures bench/peers, `--highest` searches the highest rate. Without arguments, or
with `--quick`, the benchmark measures this checkout and the peer for the page.
"""

import argparse
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg

from bench.peers import fastapi_gateway
from bench.rig import figures, search, system, trial
from bench.rig.figures import Figure
from bench.rig.requests import signed
from bench.rig.system import ROOT, Sink, System
from bench.rig.trial import RowKey, Side, Window
from runtime.clients import loopback
from simulator.story import SimulatedWebhook

RATE = 50.0
ENDS = ("answer", "row", "mail")
COMMITS = {
    "payment": "payment_history",
    "shipping": "shipment_history",
    "refund": "refund_history",
}
"""Tables that get a row for each webhook, in the transaction that changes the state."""


class Hookstream:
    """A running hookstream, with the interface of `bench.rig.trial.Side`."""

    def __init__(self, of: System) -> None:
        self._system = of
        self.sink: Sink = of.sink

    @property
    def pids(self) -> dict[str, int]:
        return self._system.pids

    @property
    def port(self) -> int:
        return int(self._system.env["GATEWAY_URL"].rpartition(":")[2])

    def request(self, webhook: SimulatedWebhook) -> bytes:
        return signed(webhook, self._system.env["WEBHOOK_SECRET"].encode())

    def mail_id(self, webhook: SimulatedWebhook) -> str | None:
        return webhook.mails[0] if webhook.mails else None

    def row_key(self, webhook: SimulatedWebhook) -> RowKey | None:
        return (webhook.rows[0].service, webhook.order_id) if webhook.rows else None

    def commits(self, run: str) -> dict[RowKey, float]:
        """Return when the rows of a run's orders were committed. Postgres takes the time before it flushes its log."""
        return dict(self._commits(run))

    def _commits(self, run: str) -> Iterator[tuple[RowKey, float]]:
        for kind, table in COMMITS.items():
            with psycopg.connect(self._system.env[f"{kind.upper()}_DATABASE_URL"]) as connection:
                query = (
                    f"SELECT order_id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM {table}"  # noqa: S608
                    " WHERE order_id LIKE %s"
                )
                for order_id, at in connection.execute(query, [f"SIM-{run}-%"]):
                    yield (kind, order_id), at

    def ages(self) -> dict[str, float]:
        env = self._system.env
        urls = {name: url for name, url in env.items() if name.endswith("_MANAGEMENT_URL")}
        return {
            name.removesuffix("_MANAGEMENT_URL").lower(): _age(url, env["MANAGEMENT_TOKEN"])
            for name, url in urls.items()
        }


def _age(url: str, token: str) -> float:
    lines = loopback.get(f"{url}/metrics", token=token, timeout_s=30).body.decode().splitlines()
    return max(
        (float(line.split()[-1]) for line in lines if line.startswith("hookstream_event_age_seconds{")), default=0
    )


@contextmanager
def hookstream(at: Path = ROOT) -> Iterator[Hookstream]:
    """Run the system of a checkout during the block."""
    with system.system(at) as started:
        yield Hookstream(started)


def report(window: Window) -> str:
    """Return a window as text of several lines: CPU, latencies, lag, answers."""
    count = len(window.outcomes)
    lines = [f"{window.rate:.0f}/s for {window.seconds:.0f} s: {count} webhooks, {window.mails} mails stored"]
    lines.append(f"  CPU per webhook {window.cpu_ms():.2f} ms; {sum(window.cpu.values()) / window.seconds:.2f} cores")
    by_cost = sorted(window.cpu, key=lambda name: -window.cpu[name])
    lines += [f"    {name:14} {window.cpu_ms(name):6.2f} ms" for name in by_cost]
    if "notifier" in window.cpu and window.mails:
        lines.append(f"    notifier, per mail {window.cpu['notifier'] / window.mails * 1000:.2f} ms")
    for what in ("answer", "row", "mail"):
        if found := window.latencies(what):
            p50, p99 = found[len(found) // 2], found[len(found) * 99 // 100]
            lines.append(f"  POST to {what:6} p50 {p50:8.1f} ms   p99 {p99:8.1f} ms   max {found[-1]:8.1f} ms")
    backlogs = {what: window.backlog_s(what) for what in ("row", "mail")}
    grown = ", ".join(f"{what}s {before:.2f} to {last:.2f} s" for what, (before, last) in backlogs.items())
    oldest = ", ".join(f"{name} {age:.0f} s" for name, age in window.ages.items() if age > 1) or "under 1 s"
    flat = "flat" if window.is_flat else "NOT flat"
    lines.append(f"  lag {flat}: backlog of {grown}; oldest unprocessed: {oldest}")
    answers = ", ".join(f"{status} {times} times" for status, times in window.answers.items())
    lines.append(f"  answers {answers}; missing {window.missing}; other processes used {window.others:.2f} cores")
    return "\n".join(lines)


def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the interface of all benchmarks
    """Measure bench/peers, the checkout in BEFORE if set, and this checkout, one after the other."""
    seconds, effort = (10.0, None) if quick else (40.0, search.THOROUGH)
    others = {"FastAPI + FastStream": _study("FastAPI + FastStream", fastapi_gateway.running, seconds, None)}
    if before := os.environ.get("BEFORE"):
        others["before"] = _study("before", lambda: hookstream(Path(before)), seconds, effort)
    own = _study("hookstream", hookstream, seconds, effort)
    return _figures(own, others)


@dataclass(frozen=True, slots=True)
class Study:
    """The windows of one side: at RATE, at the highest sustained rate, and at half of that.

    The last two are None if that rate was not searched, or none was sustained.
    """

    usual: Window
    highest: Window | None
    half: Window | None


def _study(
    name: str, start: Callable[[], AbstractContextManager[Side]], seconds: float, effort: search.Effort | None
) -> Study:
    """Measure a side at RATE; with an `effort`, search the highest rate as well."""

    def print_window(window: Window) -> None:
        print(f"{name} at {report(window)}", flush=True)

    with start() as side:
        usual = trial.measure(side, RATE, seconds, min(trial.WARM_S, seconds))
        print_window(usual)
        if effort is None:
            return Study(usual, None, None)
        first = RATE * (search.STEP_UP if usual.is_flat else 1 / search.STEP_UP)
        highest = search.highest(_run(side, effort), first, effort, print_window)
        half = trial.measure(side, highest.rate / 2, effort.step_s, effort.warm_s) if highest else None
        if half:
            print_window(half)
        return Study(usual, highest, half)


def _run(side: Side, effort: search.Effort) -> search.Run:
    return lambda rate, seconds: trial.measure(side, rate, seconds, effort.warm_s)


def _figures(own: Study, others: Mapping[str, Study]) -> list[Figure]:
    found = [
        _figure("CPU of a webhook, at 50/s", "ms", "≤ 6", own, others, lambda study: study.usual.cpu_ms()),
        _figure("CPU of a mail in the notifier, at 50/s", "ms", "≤ 2.5", own, others, _mail_ms),
        *(_figure(f"POST to {what}, p99, at 50/s", "ms", "", own, others, partial(_usual_p99, what)) for what in ENDS),
    ]
    if own.highest is None:
        return found
    goals = dict(zip(ENDS, ("", "< 150", "< 500"), strict=True))
    return [
        *found,
        _figure("highest rate", "webhooks/s", "≥ 5 x before", own, others, lambda study: _rate(study.highest)),
        _figure("cores used at the highest rate", "", "", own, others, lambda study: _cores(study.highest)),
        *(
            _figure(f"POST to {what}, p99, at half the highest rate", "ms", goal, own, others, partial(_half_p99, what))
            for what, goal in goals.items()
        ),
    ]


def _figure(
    name: str, unit: str, goal: str, own: Study, others: Mapping[str, Study], value: Callable[[Study], float]
) -> Figure:
    return Figure(name, value(own), unit, goal, {other: value(study) for other, study in others.items()})


def _mail_ms(study: Study) -> float:
    window = study.usual
    return window.cpu.get("notifier", math.nan) / max(window.mails, 1) * 1000


def _rate(window: Window | None) -> float:
    return window.rate if window else math.nan


def _cores(window: Window | None) -> float:
    return sum(window.cpu.values()) / window.seconds if window else math.nan


def _usual_p99(what: str, study: Study) -> float:
    return _p99(study.usual, what)


def _half_p99(what: str, study: Study) -> float:
    return _p99(study.half, what)


def _p99(window: Window | None, what: str) -> float:
    found = window.latencies(what) if window else []
    return found[len(found) * 99 // 100] if found else math.nan


def main() -> None:
    """Measure one side as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at", type=Path, default=ROOT)
    parser.add_argument("--peer", action="store_true", help="measure bench/peers instead")
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--warm", type=float, default=trial.WARM_S)
    parser.add_argument("--highest", action="store_true", help="search the highest rate, beginning at --rate")
    arguments = parser.parse_args()
    started: AbstractContextManager[Side] = (
        fastapi_gateway.running() if arguments.peer else hookstream(arguments.at.resolve())
    )
    with started as side:
        if arguments.highest:
            effort = search.THOROUGH
            search.highest(_run(side, effort), arguments.rate, effort, lambda window: print(report(window), flush=True))
        else:
            print(report(trial.measure(side, arguments.rate, arguments.seconds, arguments.warm)))


if __name__ == "__main__":
    if figures.is_page_run():
        figures.main(measure)
    else:
        main()
