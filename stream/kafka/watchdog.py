"""Ends a process whose Kafka client is stuck: it receives nothing, though Kafka is healthy in HEALTHY_CHECKS checks.

librdkafka has states that it never leaves and reports no error for (its issue 5476: two of its threads deadlock; 5586:
it stops requesting an offset). While Kafka itself is unavailable, the process waits without a limit.
"""

import faulthandler
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from runtime import shutdown
from runtime.logging import log

CHECK_S = 10.0
"""The seconds between two checks of Kafka while a client receives nothing."""
HEALTHY_CHECKS = 4
"""The consecutive checks that find Kafka healthy before a client counts as stuck: after an outage it needs time."""


@contextmanager
def bounded() -> Iterator[None]:
    """End the process when the block, a call of librdkafka, takes longer than HEALTHY_CHECKS * CHECK_S seconds.

    `assignment`, `pause` and `unsubscribe` wait for librdkafka's main thread without releasing Python's GIL, so
    meanwhile no other Python thread runs, not even the health endpoint's.
    """
    faulthandler.dump_traceback_later(HEALTHY_CHECKS * CHECK_S, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


class Watchdog:
    """Measures how long a Kafka client has received nothing that it waits for. `client` is "consumer" or "producer".

    `is_healthy(topics)` returns whether Kafka serves these topics, found out by another client. It is called every
    CHECK_S seconds while nothing is received.
    """

    def __init__(self, client: str, is_healthy: Callable[[Collection[str]], bool]) -> None:
        self._client = client
        self._is_healthy = is_healthy
        self._since: float | None = None
        self._checked_at = 0.0
        self._healthy_checks = 0

    def reset(self) -> None:
        """Start again, because the expected data has arrived or none is expected."""
        self._since, self._healthy_checks = None, 0

    def tick(self, topics: Collection[str], now: float) -> bool:
        """Note that nothing has arrived from these topics by `now`, in monotonic seconds.

        Return True if the client is stuck: this call has made the last of HEALTHY_CHECKS checks in a row that found
        Kafka healthy. Return False otherwise.
        """
        if self._since is None:
            self._since = self._checked_at = now
        if now - self._checked_at < CHECK_S:
            return False
        self._checked_at = now
        self._healthy_checks = self._healthy_checks + 1 if self._is_healthy(topics) else 0
        log.warning("kafka.silent", type=self._client, topic=min(topics), seconds=round(now - self._since))
        return self._healthy_checks == HEALTHY_CHECKS

    def check(self, topics: Collection[str]) -> None:
        """Note that nothing has arrived from these topics by now.

        Raises SystemExit when the client is stuck. Such a client cannot be closed either, so the process has to end.
        """
        if self.tick(topics, time.monotonic()):
            log.error("kafka.client_stuck", type=self._client, topic=min(topics))
            shutdown.limit()
            raise SystemExit(f"the {self._client} is stuck: Kafka is healthy, but nothing arrives from {min(topics)}")

    def problem(self) -> str | None:
        """Return a sentence for the health endpoint if nothing has arrived for longer than CHECK_S, else None."""
        since = self._since  # another thread may reset it meanwhile
        seconds = 0 if since is None else time.monotonic() - since
        return f"its {self._client} has received nothing from Kafka for {seconds:.0f} s" if seconds > CHECK_S else None
