"""How not to press a provider: so many requests a second, and none for a while when its API fails. No clock: pure."""

from dataclasses import dataclass

TOLERATED = 5
"""So many failures in a row open the circuit."""
REST_S = (2.0, 60.0)
LONGEST_REST_S = 3600.0


@dataclass
class RateLimiter:
    """Gives out turns, so many a second; times are seconds of one monotonic clock."""

    per_second: float
    _next: float = 0.0

    def wait(self, now: float) -> float:
        """How long whoever takes the next turn has to wait for it."""
        mine = max(self._next, now)
        self._next = mine + 1 / self.per_second
        return mine - now


@dataclass
class CircuitBreaker:
    """Closed while the API works. Open, nobody asks; after its rest one question goes to try, and decides."""

    _failures: int = 0
    _rest_s: float = 0.0
    _until: float = 0.0

    @property
    def is_open(self) -> bool:
        return self._failures >= TOLERATED

    def rest(self, now: float) -> float:
        """How many seconds nobody may ask yet."""
        return max(0.0, self._until - now)

    def works(self) -> None:
        """The API has answered."""
        self._failures, self._rest_s = 0, 0.0

    def fails(self, now: float, retry_after_s: float | None = None) -> None:
        """The API has not, or asks for a rest, which it is given up to an hour."""
        self._failures += 1
        if self.is_open and now >= self._until:
            least, most = REST_S
            self._rest_s = min(most, max(least, self._rest_s * 2))
            self._until = now + self._rest_s
        self._until = max(self._until, now + min(retry_after_s or 0.0, LONGEST_REST_S))
