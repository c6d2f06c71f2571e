"""Stops requests to a server that fails. Pure: the caller passes the time."""

from dataclasses import dataclass

from runtime.timing.backoff import Backoff

MAX_RETRY_AFTER_S = 3600.0


@dataclass
class CircuitBreaker:
    """A circuit is closed while the server works. While it is open, one request is tried after each wait.

    `max_failures` in a row open it. `waits` are the times until the next request is tried; they grow with each failure
    of such a request. Times are seconds of one monotonic clock.
    """

    max_failures: int
    waits: Backoff
    _failures: int = 0
    _openings: int = 0
    _until: float = 0.0

    @property
    def is_open(self) -> bool:
        return self._failures >= self.max_failures

    def retry_after(self, now: float) -> float:
        """Return the seconds until the next request may be sent, 0 for now. `Retry-After` counts when closed too."""
        return max(0.0, self._until - now)

    def record_success(self) -> None:
        """Close the circuit: the server has answered. A wait that has begun still counts in `retry_after`."""
        self._failures = self._openings = 0

    def record_failure(self, now: float, retry_after_s: float | None = None) -> None:
        """Count a failure; it may open the circuit. `retry_after_s` counts up to MAX_RETRY_AFTER_S."""
        self._failures += 1
        if self.is_open and now >= self._until:
            self._openings += 1
            self._until = now + self.waits.wait_s(self._openings)
        self._until = max(self._until, now + min(retry_after_s or 0.0, MAX_RETRY_AFTER_S))
