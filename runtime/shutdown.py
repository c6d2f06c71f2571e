"""A clean stop: SIGTERM and SIGINT set one event, everything else looks at it. It has its time, and no more."""

import os
import signal
from threading import Event, Timer
from types import FrameType

from runtime.logging import log

WITHIN_S = 4.5
LATE = 1
"""The exit code of a process that had to be ended."""


def on_signal(within_s: float = WITHIN_S) -> Event:
    """An event that is set when this process is asked to stop, and ends after `within_s` seconds even if it hangs."""
    stop = Event()

    def ask(number: int, _: FrameType | None) -> None:
        log.info("stopping", signal=signal.Signals(number).name)
        stop.set()
        limit(within_s)

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop


def limit(within_s: float = WITHIN_S) -> None:
    """End this process in so many seconds, whatever still waits for a broker or a store: it is made to be killed."""
    timer = Timer(within_s, _end, [within_s])
    timer.daemon = True
    timer.start()


def _end(seconds: float) -> None:
    log.error("stopping.late", seconds=seconds)
    os._exit(LATE)
