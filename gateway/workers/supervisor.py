"""Several processes take webhooks on one port: WORKERS of them, each with its own producer, and their supervisor.

The kernel spreads connections over the workers (SO_REUSEPORT). The supervisor has the management listener and asks the
workers. A worker that ends is started again; one that ends before it ever listened ends everything, with its exit code:
what keeps it from starting keeps the next from it too.
"""

import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Pipe
from threading import Event, Lock
from typing import Any

from prometheus_client import REGISTRY, Metric, generate_latest

from gateway.http.token_bucket import SALT_BYTES, SHARED_BYTES
from gateway.workers.link import Link, NoAnswer
from gateway.workers.merged_metrics import Merged, counters, merge
from runtime.health import Health
from runtime.logging import log
from runtime.management import Refused, Routes

WORKER = "--worker"
"""The argument that makes a gateway a worker; its file descriptors follow."""
ASK_S = 2.0
DESK_S = 60.0
"""Seconds for a request of an operator, such as a release from the quarantine."""
LOOK_S = 0.5
CLOSING_S = 5.0
AGAIN_S = 1.0
"""Pause before a worker is started again, lest one that always ends takes a whole core."""


class Worker:
    """One process and two links to it: one for quick requests, one for an operator's, which may take long."""

    def __init__(self, name: str, limits: int) -> None:
        self.name = name
        self.listened = False
        self.metrics: Sequence[Metric] = ()
        (ours, theirs), (our_desk, their_desk) = Pipe(), Pipe()
        self.link, self.desk = Link(ours), Link(our_desk)
        inherited = (theirs.fileno(), their_desk.fileno(), limits)
        argv = [sys.executable, "-m", "gateway", WORKER, *map(str, inherited)]
        self.process = subprocess.Popen(argv, pass_fds=inherited)
        theirs.close()
        their_desk.close()

    def problems(self) -> list[str]:
        """Return the worker's readiness problems."""
        try:
            found: list[str] = self.link.ask(ASK_S, "problems")
        except NoAnswer:
            return ["it does not answer"]
        self.listened = self.listened or not found
        return found


class Workers:
    """Keeps `count` workers running until it is asked to stop."""

    def __init__(self, count: int) -> None:
        self._limits = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as this process lives
        self._limits.write(secrets.token_bytes(SALT_BYTES))
        self._limits.truncate(SHARED_BYTES)
        self._limits.flush()
        self._lock = Lock()
        self._ended: list[Metric] = []
        self._workers = [self._start(str(number)) for number in range(1, count + 1)]

    def watch(self, health: Health) -> None:
        """Tell of the workers' health as of one's own: any of them may get the next webhook."""
        health.ready_while(lambda: self._first("problems"))
        health.warn_while(lambda: self._first("warnings"))

    def routes(self) -> Routes:
        """The gateway's verbs, done by a worker."""
        return {
            ("GET", "/metrics"): lambda _: generate_latest(Merged(REGISTRY.collect(), self._metrics())),
            ("GET", "/spool"): lambda request: self._ask_any("GET", "/spool", request),
            ("POST", "/quarantine/release"): lambda request: self._ask_any("POST", "/quarantine/release", request),
        }

    def supervise(self, stop: Event) -> int:
        """Start workers again that end, until `stop` is set or nothing can be started; the exit code."""
        while not stop.wait(LOOK_S):
            for place, worker in enumerate(self._workers):
                if (code := worker.process.poll()) is None:
                    if not worker.listened:
                        worker.problems()
                    continue
                log.error("worker.ended", id=worker.name, status=code)
                if not worker.listened:
                    self._stop()
                    return code if code > 0 else 1
                self._replace(place, worker, stop)
        return self._stop()

    def _replace(self, place: int, worker: Worker, stop: Event) -> None:
        stop.wait(AGAIN_S)
        with self._lock:
            self._ended = counters(merge(self._ended, {worker.name: counters(worker.metrics)}))
            again = self._start(worker.name)
            again.listened = True  # it could start before, so what ends it now may pass
            self._workers[place] = again

    def _start(self, name: str) -> Worker:
        return Worker(name, self._limits.fileno())

    def _stop(self) -> int:
        for worker in self._workers:
            if worker.process.poll() is None:
                worker.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + CLOSING_S
        for worker in self._workers:
            try:
                worker.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
        return int(any(worker.process.returncode not in (0, -signal.SIGTERM) for worker in self._workers))

    def _first(self, verb: str) -> str | None:
        for worker in list(self._workers):
            problems = worker.problems() if verb == "problems" else self._said(worker, verb)
            if problems:
                return f"worker {worker.name}: {problems[0]}"
        return None

    def _metrics(self) -> Mapping[str, Sequence[Metric]]:
        with self._lock:
            for worker in self._workers:
                worker.metrics = self._said(worker, "metrics") or worker.metrics
            return {**{worker.name: worker.metrics for worker in self._workers}, "ended": self._ended}

    @staticmethod
    def _said(worker: Worker, verb: str) -> Any:
        try:
            return worker.link.ask(ASK_S, verb)
        except NoAnswer:
            return None

    def _ask_any(self, method: str, path: str, request: Mapping[str, Any]) -> object:
        """Let a worker that is ready do it, for each can."""
        for worker in list(self._workers):
            if not worker.problems():
                try:
                    return worker.desk.ask(DESK_S, "route", method, path, dict(request))
                except NoAnswer:
                    raise Refused(504, "no_answer", f"worker {worker.name} has not answered; it may be done") from None
        raise Refused(503, "unavailable", "no worker is ready; try again")
