"""Spaces requests evenly. Pure: the caller passes the time."""

from dataclasses import dataclass


@dataclass
class RateLimiter:
    """Gives out `per_second` turns a second, infinity for no limit; times are seconds of one monotonic clock."""

    per_second: float
    _next: float = 0.0

    def reserve(self, now: float) -> float:
        """Reserve the next turn and return the seconds to wait for it."""
        turn = max(self._next, now)
        self._next = turn + 1 / self.per_second
        return turn - now
