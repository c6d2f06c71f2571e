"""Decides whether a worker consumes events: not while too many are retrying, and not while the service is paused."""

from runtime.logging import log
from stream.store.pausing import Pause
from stream.worker.monitoring import metrics

UNKNOWN = Pause("not known yet", "the start of this process", 0)
"""The pause of a worker that has not read the store yet: it consumes nothing."""


class Consumption:
    """The state of a worker that decides whether it consumes events.

    `is_stopped` is True while `max_retrying` or more events are retrying. The cause is then probably ours, so no event
    is consumed, and no failed attempt is counted. `pause` is the operator's pause of the service, None while it runs,
    and UNKNOWN at first: during a pause, nothing is consumed or retried.
    """

    def __init__(self, max_retrying: int) -> None:
        self._max_retrying = max_retrying
        self.is_stopped = False
        self.pause: Pause | None = UNKNOWN

    @property
    def is_halted(self) -> bool:
        """True while no events are consumed, because of `is_stopped` or `pause`."""
        return self.is_stopped or self.pause is not None

    def update(self, retrying_events: int, pause: Pause | None) -> None:
        """Take over what the store says: the number of retrying events, and the operator's pause; log what changes."""
        self._update_is_stopped(retrying_events)
        self._update_pause(pause)

    def _update_is_stopped(self, retrying_events: int) -> None:
        metrics.RETRYING.set(retrying_events)
        is_stopped = retrying_events >= self._max_retrying
        if is_stopped != self.is_stopped:
            write_log, name = (log.error, "consumption.stopped") if is_stopped else (log.info, "consumption.resumed")
            write_log(name, count=retrying_events)
        self.is_stopped = is_stopped

    def _update_pause(self, pause: Pause | None) -> None:
        metrics.PAUSED.set(pause is not None)
        if (pause is None) != (self.pause is None) and self.pause is not UNKNOWN:
            log.warning("service.paused", cause=pause.reason) if pause else log.info("service.resumed")
        self.pause = pause
