"""A clean stop: SIGTERM and SIGINT set one event, everything else looks at it."""

import signal
from threading import Event
from types import FrameType

from runtime.logging import log


def on_signal() -> Event:
    """An event that is set when this process is asked to stop."""
    stop = Event()

    def ask(number: int, _: FrameType | None) -> None:
        log.info("stopping", signal=signal.Signals(number).name)
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop
