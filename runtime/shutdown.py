"""Clean shutdown: SIGTERM and SIGINT set one event; a shutdown that takes too long is ended by force."""

import os
import signal
from threading import Event, Timer
from types import FrameType

from runtime.logging import log

WITHIN_S = 4.5
LATE = 1
"""The exit code of a process that was ended by force."""


def on_signal(within_s: float = WITHIN_S) -> Event:
    """Return an event that SIGTERM and SIGINT set from now on; the signal also calls `limit(within_s)`."""
    stop = Event()

    def handle(number: int, _: FrameType | None) -> None:
        log.info("stopping", signal=signal.Signals(number).name)
        stop.set()
        limit(within_s)

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
    return stop


def limit(within_s: float = WITHIN_S) -> None:
    """Return at once; exit with LATE in `within_s` seconds, if the process has not ended by itself until then.

    It may still wait for a broker or a store. A kill loses nothing.
    """
    timer = Timer(within_s, _end, [within_s])
    timer.daemon = True
    timer.start()


def _end(seconds: float) -> None:
    log.error("stopping.late", seconds=seconds)
    os._exit(LATE)
