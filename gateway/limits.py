"""A token bucket: so many requests a second, and a burst above that; and one for each of many sources."""

from collections import OrderedDict

MAX_SOURCES = 50_000
"""Sources that are remembered; about 10 MB. Who was not seen for longest is forgotten, and has a full bucket again."""

EARLY_S = 1e-9
"""Sums of floats miss a whole token by less than this."""


class TokenBucket:
    """Holds at most `burst` tokens and gains `rate` a second; times are seconds of any steady clock."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = 0.0

    def take(self, now: float, cost: float = 1) -> float:
        """Take `cost` tokens: 0 when there were as many, else the seconds until there will be."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens >= cost:
            self._tokens -= cost
            return 0.0
        return (cost - self._tokens) / self._rate


class SourceLimiter:
    """A bucket per source, in bounded memory: of each source only the time at which its bucket is full again."""

    def __init__(self, rate: float, burst: float, max_sources: int = MAX_SOURCES) -> None:
        self._interval = 1 / rate
        self._tolerance = (burst - 1) / rate
        self._max_sources = max_sources
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, source: str, now: float) -> float:
        """Take one token of this source: 0 when there was one, else the seconds until there will be."""
        full_at = max(self._full_at.get(source, now), now)
        if (wait := full_at - self._tolerance - now) > EARLY_S:
            return wait
        self._full_at[source] = full_at + self._interval
        self._full_at.move_to_end(source)
        if len(self._full_at) > self._max_sources:
            self._full_at.popitem(last=False)
        return 0.0
