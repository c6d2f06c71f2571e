"""Stops requests to a provider whose API fails. Pure: the caller passes the time."""

from dataclasses import dataclass

from runtime.timing.backoff import Backoff

MAX_FAILURES = 5
"""The circuit opens after this number of consecutive failures."""
OPEN = Backoff(2.0, 60.0)
"""The time until the next request is tried; it grows with each failure of such a request."""
MAX_RETRY_AFTER_S = 3600.0


@dataclass
class CircuitBreaker:
    """A circuit is closed while the API works. While it is open, one request is tried after each wait.

    Times are seconds of one monotonic clock.
    """

    _failures: int = 0
    _openings: int = 0
    _until: float = 0.0

    @property
    def is_open(self) -> bool:
        return self._failures >= MAX_FAILURES

    def retry_after(self, now: float) -> float:
        """Return the seconds until the next request may be sent, 0 for now. `Retry-After` counts when closed too."""
        return max(0.0, self._until - now)

    def record_success(self) -> None:
        """Close the circuit: the API has answered."""
        self._failures = self._openings = 0

    def record_failure(self, now: float, retry_after_s: float | None = None) -> None:
        """Count a failure; MAX_FAILURES in a row open the circuit. `retry_after_s` counts up to MAX_RETRY_AFTER_S."""
        self._failures += 1
        if self.is_open and now >= self._until:
            self._openings += 1
            self._until = now + OPEN.wait_s(self._openings)
        self._until = max(self._until, now + min(retry_after_s or 0.0, MAX_RETRY_AFTER_S))
