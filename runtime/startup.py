"""Waits at the start for what a service needs: Kafka and its topics, the schema registry, the store.

Only what waiting cannot mend ends the process: topics of other than 12 partitions, credentials that are refused.
"""

import time
from collections.abc import Callable, Sequence
from threading import Event
from typing import NoReturn

from runtime.logging import log

LOOK_S = 0.5
LONGEST_S = 5.0
TELL_S = 10.0


class NotYet(Exception):
    """Something is not there yet: a sentence for people."""


Need = Callable[[], None]
"""Returns when what is needed is there. Raises NotYet, or SystemExit for what no waiting mends."""


class Startup:
    """Goes through what a service needs, one after the other."""

    def __init__(self, needs: Sequence[Need]) -> None:
        self._needs = needs
        self._waits_for: str | None = "it has only just started"

    def problem(self) -> str | None:
        """Return what the start waits for; None once everything was there."""
        return self._waits_for

    def wait(self, stop: Event, while_waiting: Callable[[], None] = lambda: None) -> bool:
        """Return True when all is there, False when `stop` was set first."""
        for need in self._needs:
            if not self._wait_for(need, stop, while_waiting):
                return False
        self._waits_for = None
        return True

    def _wait_for(self, need: Need, stop: Event, while_waiting: Callable[[], None]) -> bool:
        pause, began, told_at = LOOK_S, time.monotonic(), float("-inf")
        while not stop.is_set():
            while_waiting()
            try:
                need()
            except NotYet as missing:
                self._waits_for = f"waits for {missing}"
                if time.monotonic() - told_at >= TELL_S:
                    told_at = time.monotonic()
                    log.warning("start.waiting", cause=str(missing), seconds=round(told_at - began))
                stop.wait(pause)
                pause = min(pause * 2, LONGEST_S)
            else:
                return True
        return False


def refuse(sentence: str) -> NoReturn:
    """End the start with a sentence."""
    log.error("start.refused", cause=sentence)
    raise SystemExit(f"cannot start: {sentence}")
