"""The whole way, from a post to its row and its mail: `python -m bench.whole_way [--rate 50] [--seconds 60]`.

CPU per webhook by process, latencies in an open loop, and whether lag stays flat. `--at PATH` measures the system of
another checkout.
"""

import argparse
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg

from bench import fastapi_peer, system, trial
from bench.requests import signed
from bench.system import ROOT, Sink, System
from bench.trial import RowKey, Side, Window
from simulator.story import Webhook

COMMITS = {
    "payment": "payment_history",
    "shipping": "shipment_history",
    "refund": "refund_history",
}
"""Tables that get a row for each webhook, in the transaction that changes the state."""


class Hookstream:
    """A running system of this product."""

    def __init__(self, of: System) -> None:
        self._system = of
        self.sink: Sink = of.sink

    @property
    def pids(self) -> dict[str, int]:
        return self._system.pids

    @property
    def port(self) -> int:
        return int(self._system.env["GATEWAY_URL"].rpartition(":")[2])

    def request(self, webhook: Webhook) -> bytes:
        return signed(webhook, self._system.env["WEBHOOK_SECRET"].encode())

    def mail_id(self, webhook: Webhook) -> str | None:
        return webhook.mails[0] if webhook.mails else None

    def row_key(self, webhook: Webhook) -> RowKey | None:
        return (webhook.rows[0].service, webhook.order_id) if webhook.rows else None

    def commits(self, run: str) -> dict[RowKey, float]:
        """Postgres takes the time of a commit directly before it writes it to the log."""
        return dict(self._commits(run))

    def _commits(self, run: str) -> Iterator[tuple[RowKey, float]]:
        for kind, table in COMMITS.items():
            with psycopg.connect(self._system.env[f"{kind.upper()}_DATABASE_URL"]) as connection:
                asked = (
                    f"SELECT order_id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM {table}"  # noqa: S608
                    " WHERE order_id LIKE %s"
                )
                for order_id, at in connection.execute(asked, [f"SIM-{run}-%"]):
                    yield (kind, order_id), at

    def ages(self) -> dict[str, float]:
        env = self._system.env
        urls = {name: url for name, url in env.items() if name.endswith("_MANAGEMENT_URL")}
        return {
            name.removesuffix("_MANAGEMENT_URL").lower(): _age(url, env["MANAGEMENT_TOKEN"])
            for name, url in urls.items()
        }


def _age(url: str, token: str) -> float:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"{url}/metrics", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    with opener.open(request, timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return max(
        (float(line.split()[-1]) for line in lines if line.startswith("hookstream_event_age_seconds{")), default=0
    )


@contextmanager
def hookstream(at: Path = ROOT) -> Iterator[Hookstream]:
    """The system of a checkout, started."""
    with system.system(at) as started:
        yield Hookstream(started)


def report(window: Window) -> str:
    """A window as text."""
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at", type=Path, default=ROOT)
    parser.add_argument("--peer", action="store_true", help="measure bench/peers instead")
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--warm", type=float, default=trial.WARM_S)
    asked = parser.parse_args()
    started: AbstractContextManager[Side] = fastapi_peer.running() if asked.peer else hookstream(asked.at.resolve())
    with started as side:
        print(report(trial.measure(side, asked.rate, asked.seconds, asked.warm)))


if __name__ == "__main__":
    main()
