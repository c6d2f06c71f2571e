"""Waits at the start for the needs of a service: Kafka and its topics, the schema registry, the store.

Only failures that waiting cannot fix end the process: a wrong number of partitions, refused credentials.
"""

import time
from collections.abc import Callable, Sequence
from threading import Event
from typing import NoReturn

from runtime.logging import log
from runtime.timing.backoff import Backoff

PAUSE = Backoff(0.5, 5.0)
LOG_INTERVAL_S = 10.0


class NeedUnmet(Exception):
    """A need is not met yet. The message names the need, to be read behind "waits for"."""


Need = Callable[[], None]
"""Returns if the service may start. Raises NeedUnmet if it has to wait, SystemExit if waiting cannot help."""


class Startup:
    """Waits for the needs of a service, one after the other."""

    def __init__(self, needs: Sequence[Need]) -> None:
        self._needs = needs
        self._waits_for: str | None = "the service is starting"

    def problem(self) -> str | None:
        """Return a sentence about the need that the start waits for; None once `wait` has returned True."""
        return self._waits_for

    def wait(self, stop: Event, while_waiting: Callable[[], None] = lambda: None) -> bool:
        """Block until each need was met once, in order, and return True; return False if `stop` is set first.

        Calls `while_waiting` before each attempt. Raises SystemExit if a need does.
        """
        for need in self._needs:
            if not self._wait_for(need, stop, while_waiting):
                return False
        self._waits_for = None
        return True

    def _wait_for(self, need: Need, stop: Event, while_waiting: Callable[[], None]) -> bool:
        attempts, began, logged_at = 0, time.monotonic(), float("-inf")
        while not stop.is_set():
            while_waiting()
            try:
                need()
            except NeedUnmet as missing:
                self._waits_for = f"waits for {missing}"
                if time.monotonic() - logged_at >= LOG_INTERVAL_S:
                    logged_at = time.monotonic()
                    log.warning("start.waiting", cause=str(missing), seconds=round(logged_at - began))
                attempts += 1
                stop.wait(PAUSE.wait_s(attempts))
            else:
                return True
        return False


def abort_start(sentence: str) -> NoReturn:
    """Log `sentence` and raise SystemExit with it; for failures that waiting cannot fix."""
    log.error("start.refused", cause=sentence)
    raise SystemExit(f"cannot start: {sentence}")
