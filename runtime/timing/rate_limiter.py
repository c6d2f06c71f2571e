"""Spaces requests evenly. Pure: the caller passes the time."""

from dataclasses import dataclass


@dataclass
class RateLimiter:
    """Spaces turns by 1 / `per_second` seconds; infinity: no limit. Times are seconds of one monotonic clock."""

    per_second: float
    _next: float = 0.0

    def reserve(self, now: float) -> float:
        """Take the next turn, at or after `now`, and return the seconds from `now` until it."""
        turn = max(self._next, now)
        self._next = turn + 1 / self.per_second
        return turn - now
