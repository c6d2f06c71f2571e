"""Exponential back-off: how long to wait before the next attempt. Pure."""

import math
from dataclasses import dataclass

JITTER = 0.5
"""The part of a wait that is left out at `chance` 0."""
MAX_EXPONENT = 60
"""Limits the exponent of `factor`, so that no number of attempts overflows."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that grow by `factor` with each failed attempt, from `first_s` to at most `longest_s` seconds."""

    first_s: float
    longest_s: float = math.inf
    factor: float = 2.0

    def wait_s(self, attempts: int, chance: float = 1.0) -> float:
        """Return the seconds to wait after failed attempt number `attempts`, counted from 1.

        A random `chance` between 0 and 1 keeps attempts that failed together from being repeated together: 1 gives the
        whole wait, 0 the wait without its JITTER.
        """
        wait = min(self.longest_s, self.first_s * self.factor ** min(attempts - 1, MAX_EXPONENT))
        return wait * (1 - JITTER * (1 - chance))
