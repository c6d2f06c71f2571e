"""Ends a process whose Kafka client is stuck: it receives nothing, while Kafka is found healthy LOOKS times in a row.

librdkafka has states that it never leaves and reports no error for (its issue 5476: two of its threads deadlock; 5586:
it stops requesting an offset). An unavailable Kafka is different: the process waits for it without a limit.
"""

import faulthandler
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from runtime import shutdown
from runtime.logging import log

LOOK_S = 10.0
LOOKS = 4
"""Consecutive healthy answers before a client counts as stuck: after an outage, a client needs time to recover."""


@contextmanager
def bounded() -> Iterator[None]:
    """End the process when a librdkafka call inside the block takes longer than LOOKS * LOOK_S seconds.

    `assignment`, `pause` and `unsubscribe` wait for librdkafka's main thread without releasing Python's GIL, so
    meanwhile no other Python thread runs, not even the health endpoint's.
    """
    faulthandler.dump_traceback_later(LOOKS * LOOK_S, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


class Watchdog:
    """Measures how long a Kafka client, `"consumer"` or `"producer"`, has received nothing, in monotonic seconds.

    `is_healthy(topics)` returns whether Kafka serves these topics. It uses a client of its own and is called every
    LOOK_S seconds of a silence.
    """

    def __init__(self, client: str, is_healthy: Callable[[Collection[str]], bool]) -> None:
        self._client = client
        self._is_healthy = is_healthy
        self._since: float | None = None
        self._looked_at = 0.0
        self._healthy_looks = 0

    def reset(self) -> None:
        """End the silence: the expected data has arrived, or none is expected."""
        self._since, self._healthy_looks = None, 0

    def tick(self, topics: Collection[str], now: float) -> bool:
        """Note that nothing has arrived from these topics yet; return True once the client is stuck."""
        if self._since is None:
            self._since = self._looked_at = now
        if now - self._looked_at < LOOK_S:
            return False
        self._looked_at = now
        self._healthy_looks = self._healthy_looks + 1 if self._is_healthy(topics) else 0
        log.warning("kafka.silent", type=self._client, topic=min(topics), seconds=round(now - self._since))
        return self._healthy_looks == LOOKS

    def check(self, topics: Collection[str]) -> None:
        """Note that nothing has arrived from these topics yet.

        Raises SystemExit when the client is stuck. Such a client cannot be closed either, so the process has to end.
        """
        if self.tick(topics, time.monotonic()):
            log.error("kafka.client_stuck", type=self._client, topic=min(topics))
            shutdown.limit()
            raise SystemExit(f"the {self._client} is stuck: Kafka is healthy, but nothing arrives from {min(topics)}")

    def problem(self) -> str | None:
        """Return a sentence for the health endpoint when the silence lasts longer than LOOK_S, else None."""
        since = self._since  # another thread may reset it meanwhile
        seconds = 0 if since is None else time.monotonic() - since
        return f"its {self._client} has not heard from Kafka for {seconds:.0f} s" if seconds > LOOK_S else None
