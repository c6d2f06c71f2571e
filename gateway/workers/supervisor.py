"""Supervises WORKERS gateway processes that serve one port, each with its own producer.

The kernel spreads connections over the workers (SO_REUSEPORT). The supervisor has the management listener and calls the
workers. It restarts a worker that ends. One of the first workers that ends before it was ever ready ends the whole
gateway with its exit code, since the next worker would fail to start for the same reason.
"""

import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import partial
from multiprocessing.connection import Pipe
from threading import Event, Lock
from typing import Any

from prometheus_client import REGISTRY, Metric, generate_latest

from gateway.http import openapi
from gateway.http.token_bucket import SALT_BYTES, SHARED_BYTES
from gateway.workers.link import Link, WorkerUnavailable
from gateway.workers.merged_metrics import Merged, counters, merge
from runtime.health import Health
from runtime.logging import log
from runtime.management.routes import RequestRefused, Routes

WORKER = "--worker"
"""The argument that makes a gateway process a worker; file descriptors follow."""
QUERY_TIMEOUT_S = 2.0
MANAGEMENT_TIMEOUT_S = 60.0
"""Seconds that a worker has for an operator's request, such as a release from the quarantine."""
POLL_S = 0.5
SHUTDOWN_S = 5.0
RESTART_DELAY_S = 1.0
"""Seconds before an ended worker is restarted: one that ends again and again would otherwise use a whole core."""


class WorkerProcess:
    """A started worker process and two links to it: one for health and metrics, one for slow requests of an operator.

    `limits` is the file descriptor of the memory in which the workers count requests together. `was_ready` is True once
    the worker was ready. `metrics` are the last that the worker returned.
    """

    def __init__(self, name: str, limits: int) -> None:
        self.name = name
        self.was_ready = False
        self.metrics: Sequence[Metric] = ()
        (ours, theirs), (our_management, their_management) = Pipe(), Pipe()
        self.link, self.management_link = Link(ours), Link(our_management)
        inherited = (theirs.fileno(), their_management.fileno(), limits)
        argv = [sys.executable, "-m", "gateway", WORKER, *map(str, inherited)]
        self.process = subprocess.Popen(argv, pass_fds=inherited)
        theirs.close()
        their_management.close()

    def problems(self) -> list[str]:
        """Ask the worker for its readiness problems; empty if it is ready, which sets `was_ready`.

        Raises RequestRefused if a check of the worker fails with an exception.
        """
        try:
            problems: list[str] = self.link.call(QUERY_TIMEOUT_S, "problems")
        except WorkerUnavailable:
            return ["the worker does not answer"]
        self.was_ready = self.was_ready or not problems
        return problems


class WorkerPool:
    """Starts `count` workers and keeps them running."""

    def __init__(self, count: int) -> None:
        self._limits = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as this process lives
        self._limits.write(secrets.token_bytes(SALT_BYTES))
        self._limits.truncate(SHARED_BYTES)
        self._limits.flush()
        self._lock = Lock()
        self._ended_counters: list[Metric] = []
        self._workers = [self._start(str(number)) for number in range(1, count + 1)]

    def watch(self, health: Health) -> None:
        """Report the first problem and warning of any worker as the gateway's: any of them may get the next webhook."""
        health.ready_while(lambda: self._first("problems"))
        health.warn_while(lambda: self._first("warnings"))

    def routes(self) -> Routes:
        """Return the gateway's management routes, each executed by any ready worker, and the merged metrics."""
        return {
            ("GET", "/metrics"): lambda _: generate_latest(Merged(REGISTRY.collect(), self._metrics())),
            **openapi.all_described(
                {(method, path): partial(self._call_any, method, path) for method, path in openapi.OPERATIONS}
            ),
        }

    def supervise(self, stop: Event) -> int:
        """Restart ended workers until `stop` is set or one of the first has ended before it was ready; then stop all.

        Return the exit code of the gateway: 0 if `stop` was set and all workers ended cleanly.
        """
        while not stop.wait(POLL_S):
            for index, worker in enumerate(self._workers):
                if (code := worker.process.poll()) is None:
                    if not worker.was_ready:
                        worker.problems()
                    continue
                log.error("worker.ended", id=worker.name, status=code)
                if not worker.was_ready:
                    self._stop()
                    return code if code > 0 else 1
                self._replace(index, worker, stop)
        return self._stop()

    def _replace(self, index: int, worker: WorkerProcess, stop: Event) -> None:
        stop.wait(RESTART_DELAY_S)
        with self._lock:
            self._ended_counters = counters(merge(self._ended_counters, {worker.name: counters(worker.metrics)}))
            replacement = self._start(worker.name)
            replacement.was_ready = True  # its predecessor could start, so the cause may be temporary
            self._workers[index] = replacement

    def _start(self, name: str) -> WorkerProcess:
        return WorkerProcess(name, self._limits.fileno())

    def _stop(self) -> int:
        for worker in self._workers:
            if worker.process.poll() is None:
                worker.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + SHUTDOWN_S
        for worker in self._workers:
            try:
                worker.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
        return int(any(worker.process.returncode not in (0, -signal.SIGTERM) for worker in self._workers))

    def _first(self, verb: str) -> str | None:
        for worker in list(self._workers):
            problems = worker.problems() if verb == "problems" else self._query(worker, verb)
            if problems:
                return f"worker {worker.name}: {problems[0]}"
        return None

    def _metrics(self) -> Mapping[str, Sequence[Metric]]:
        with self._lock:
            for worker in self._workers:
                worker.metrics = self._query(worker, "metrics") or worker.metrics
            return {**{worker.name: worker.metrics for worker in self._workers}, "ended": self._ended_counters}

    @staticmethod
    def _query(worker: WorkerProcess, verb: str) -> Any:
        try:
            return worker.link.call(QUERY_TIMEOUT_S, verb)
        except WorkerUnavailable:
            return None

    def _call_any(self, method: str, path: str, request: Mapping[str, object]) -> object:
        """Have any ready worker execute a route.

        Raises RequestRefused if the route does, no worker is ready, or the worker does not answer in time.
        """
        for worker in list(self._workers):
            if not worker.problems():
                try:
                    return worker.management_link.call(MANAGEMENT_TIMEOUT_S, "route", method, path, dict(request))
                except WorkerUnavailable:
                    raise RequestRefused(
                        504, "no_answer", f"worker {worker.name} did not answer; the request may have been executed"
                    ) from None
        raise RequestRefused(503, "unavailable", "no worker is ready; try again")
