"""Ends a process whose client of Kafka waits in vain though Kafka is well, time and again.

librdkafka has states it never leaves, and of which it tells no error (its issue 5476: two of its threads wait for each
other; 5586: it asks for an offset no more). Kafka away is no such case: that is waited for as long as it takes.
"""

import faulthandler
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from runtime import shutdown
from runtime.logging import log

LOOK_S = 10.0
LOOKS = 4
"""So often in a row Kafka must have been found well: what has only just come back may take its time."""


@contextmanager
def bounded() -> Iterator[None]:
    """End the process when a call of librdkafka does not return in time.

    Some wait for its main thread and let no other thread of Python's run meanwhile, nor the one that tells of health:
    `assignment`, `pause`, `unsubscribe`.
    """
    faulthandler.dump_traceback_later(LOOKS * LOOK_S, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


class Watchdog:
    """How long a client of Kafka, `"consumer"` or `"producer"`, has waited in vain. Times are monotonic seconds.

    `is_well` tells whether Kafka is, for these topics; it is asked by a client of its own, every LOOK_S of a silence.
    """

    def __init__(self, client: str, is_well: Callable[[Collection[str]], bool]) -> None:
        self._client = client
        self._is_well = is_well
        self._since: float | None = None
        self._looked = 0.0
        self._well = 0

    def reset(self) -> None:
        """What was waited for has come, or nothing is waited for."""
        self._since, self._well = None, 0

    def tick(self, topics: Collection[str], now: float) -> bool:
        """Nothing has come yet of these topics; whether that is for good."""
        if self._since is None:
            self._since = self._looked = now
        if now - self._looked < LOOK_S:
            return False
        self._looked = now
        self._well = self._well + 1 if self._is_well(topics) else 0
        log.warning("kafka.silent", type=self._client, topic=min(topics), seconds=round(now - self._since))
        return self._well == LOOKS

    def check(self, topics: Collection[str]) -> None:
        """Nothing has come yet of these topics.

        Raises SystemExit when nothing will: the client could not even be closed, so the process has to end.
        """
        if self.tick(topics, time.monotonic()):
            log.error("kafka.client_stuck", type=self._client, topic=min(topics))
            shutdown.limit()
            raise SystemExit(f"the {self._client} is stuck: Kafka is well, and {min(topics)} is silent")

    def problem(self) -> str | None:
        """What a look from outside should know."""
        since = self._since  # which another thread may end meanwhile
        seconds = 0 if since is None else time.monotonic() - since
        return f"its {self._client} has not heard from Kafka for {seconds:.0f} s" if seconds > LOOK_S else None
