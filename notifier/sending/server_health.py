"""Decides how many mails may be offered to the mail server, by its answers so far. Pure: the caller passes the time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from runtime.timing.backoff import Backoff
from runtime.timing.circuit_breaker import CircuitBreaker

PROBES = Backoff(1.0, 10.0)
"""The waits between two probes of a server that answers no mail."""
UNLIMITED = 1 << 20


@dataclass
class ServerHealth:
    """The state of the mail server by the results of mails; times are seconds of one monotonic clock.

    An answer is a reply to one mail, accepted or refused because of that mail, or the end of the connection at that
    mail after the server has begun to take it. While there is none, one mail is offered after each wait of PROBES. From
    the next answer on, the number of mails offered together doubles each time, so that a server that comes back is not
    flooded.
    """

    has_answered: bool = False
    """True if the last mails that were offered had an answer; False before the first."""
    _breaker: CircuitBreaker = field(default_factory=lambda: CircuitBreaker(1, PROBES))
    _limit: int = UNLIMITED
    _began_at: float = 0.0
    _asked_at: float | None = None
    _failing_since: float | None = None

    @property
    def is_failing(self) -> bool:
        """True while the last mails that were offered had no answer."""
        return self._breaker.is_open

    def capacity(self, now: float, most: int) -> int:
        """Return how many mails to offer at `now`, at most `most`; 0 until the next probe is due."""
        return 0 if self._breaker.retry_after(now) else min(most, self._limit)

    def silent_s(self, now: float) -> float:
        """Return for how many seconds mails have had no answer; 0 while the server answers, or no mail waits for it.

        It counts from the beginning of the first failure, or, while the server is being asked, from its last reply.
        """
        since = [at for at in (self._failing_since, self._asked_at) if at is not None]
        return max(0.0, now - min(since)) if since else 0.0

    @contextmanager
    def asking(self, now: float) -> Iterator[None]:
        """Ask the server during the block, which begins at `now`."""
        self._began_at = self._asked_at = now
        try:
            yield
        finally:
            self._asked_at = None

    def record_reply(self, now: float) -> None:
        """Note any reply of the server, such as its greeting, while it is being asked."""
        if self._asked_at is not None:
            self._asked_at = now

    def record(self, answers: Sequence[bool], now: float) -> None:
        """Note for each mail that was offered whether the server has answered it; one answer is enough to work."""
        self.has_answered = any(answers) if answers else self.has_answered
        if any(answers):
            self._breaker.record_success()
            self._failing_since = None
            self._limit = min(self._limit * 2, UNLIMITED)
        elif answers:
            self._breaker.record_failure(now)
            self._failing_since = self._began_at if self._failing_since is None else self._failing_since
            self._limit = 1

    def record_idle(self) -> None:
        """Note that no mail is due, so that nothing waits for the server."""
        self._failing_since = None
