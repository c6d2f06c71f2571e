"""Limits failed logins by user and address, by user, and by address, in the memory of this process.

The strictest limit is that of a user at one address, so that attempts from elsewhere do not lock the user out.
"""

from collections import OrderedDict

WINDOW_S = 900.0
MOST_BY_USER_AND_ADDRESS, MOST_BY_USER, MOST_BY_ADDRESS = 5, 50, 30
"""The failures within WINDOW_S from which no further login may be tried."""
MAX_KEYS = 20_000


class Attempts:
    """The times of failed logins within WINDOW_S, by key; the least recently used key is dropped beyond MAX_KEYS."""

    def __init__(self) -> None:
        self._failures: OrderedDict[tuple[str, str], list[float]] = OrderedDict()

    def wait(self, user: str, address: str, now: float) -> float:
        """Return the seconds until this user may try to log in from this address; 0 if at once.

        `now` is from a monotonic clock, in seconds, as in every method.
        """
        return max(self._wait(key, most, now) for key, most in _limits(user, address))

    def record_failure(self, user: str, address: str, now: float) -> None:
        """Count a failed login against all three limits."""
        for key, _ in _limits(user, address):
            self._failures[key] = [*self._recent(key, now), now]
            self._failures.move_to_end(key)
        while len(self._failures) > MAX_KEYS:
            self._failures.popitem(last=False)

    def record_success(self, user: str, address: str) -> None:
        """Forget the failures of this user at this address; those by user alone and by address alone stay."""
        self._failures.pop((user, address), None)

    def _wait(self, key: tuple[str, str], most: int, now: float) -> float:
        recent = self._recent(key, now)
        return recent[-most] + WINDOW_S - now if len(recent) >= most else 0.0

    def _recent(self, key: tuple[str, str], now: float) -> list[float]:
        return [at for at in self._failures.get(key, ()) if now - at < WINDOW_S]


def _limits(user: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
    return (
        ((user, address), MOST_BY_USER_AND_ADDRESS),
        ((user, ""), MOST_BY_USER),
        (("", address), MOST_BY_ADDRESS),
    )
