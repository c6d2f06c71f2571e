"""The health of a worker. Ready: started, its store answers, its last batch is applied. Alive: its loop goes on."""

import time
from threading import Event

from sqlalchemy import Engine

from runtime.health import Check, Health
from runtime.postgres.store_probe import StoreProbe
from runtime.startup import Startup

STUCK_AFTER_S = 60.0


class WorkerHealth:
    """The health of the worker of `service`; `failure` says why its current batch is tried again, or is None."""

    def __init__(self, service: str, store: Engine, startup: Startup) -> None:
        self._startup = startup
        self._probe = StoreProbe(service, store)
        self._progressed_at = time.monotonic()
        self.failure: str | None = None

    def watch(self, health: Health, *problems: Check) -> None:
        """Register the checks of readiness, with the `problems` of the worker's parts, and the check of liveness."""
        for problem in (self._startup.problem, self._probe.problem, *problems):
            health.ready_while(problem)
        health.live_while(self._stuck)

    def wait_for_start(self, stop: Event) -> bool:
        """Return True once the worker can start, False if `stop` is set first. Then probe the store in a thread."""
        if not self._startup.wait(stop, self.note_progress):
            return False
        self._probe.start()
        return True

    def note_progress(self) -> None:
        """Note that the loop goes on. Without progress for STUCK_AFTER_S seconds the worker is not alive."""
        self._progressed_at = time.monotonic()

    def _stuck(self) -> str | None:
        """Return the problem that a restart may solve: the loop makes no progress although the store answers."""
        stuck = time.monotonic() - self._progressed_at > STUCK_AFTER_S and not self._probe.problem()
        return "the loop is stuck" if stuck else None
