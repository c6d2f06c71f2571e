"""The health of a worker. Ready: started, the store answers, no batch fails. Alive: the loop makes progress."""

import time
from threading import Event

from sqlalchemy import Engine

from runtime.health import Check, Health
from runtime.postgres.store_probe import StoreProbe
from runtime.startup import Startup

STUCK_AFTER_S = 60.0


class WorkerHealth:
    """The health of the worker of `service`; `failure` says why its current batch is tried again (None: it is not)."""

    def __init__(self, service: str, store: Engine, startup: Startup) -> None:
        self._startup = startup
        self._probe = StoreProbe(service, store)
        self._progressed_at = time.monotonic()
        self.failure: str | None = None

    def watch(self, health: Health, *problems: Check) -> None:
        """Register the checks of readiness, among them `problems` of the worker's parts, and the check of liveness."""
        for problem in (self._startup.problem, self._probe.problem, *problems):
            health.ready_while(problem)
        health.live_while(self._stuck)

    def wait_for_start(self, stop: Event) -> bool:
        """Wait until Kafka, the schema registry and the store answer; return True, or False if `stop` is set first.

        From then on a thread probes the store for the readiness check. Raises SystemExit when waiting cannot help.
        """
        if not self._startup.wait(stop, self.note_progress):
            return False
        self._probe.start()
        return True

    def note_progress(self) -> None:
        """Note that the loop makes progress.

        Without a call for STUCK_AFTER_S seconds the worker is not alive, unless its store does not answer: a restart
        would not help then.
        """
        self._progressed_at = time.monotonic()

    def _stuck(self) -> str | None:
        """Return a problem if the loop makes no progress although the store answers: a restart may help. Else None."""
        stuck = time.monotonic() - self._progressed_at > STUCK_AFTER_S and not self._probe.problem()
        return "the loop is stuck" if stuck else None
