"""Appends to Kafka from the event loop: one producer, many requests waiting for their delivery reports.

The loop itself polls while records are in flight, so there is no thread and no lock. The deadline is ours: no client
library answers within 45 s of a frozen broker. A record given up on may still be written; its retry has the same id.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Hashable

from confluent_kafka import KafkaError, KafkaException

from runtime.logging import log
from stream.client_config import Cluster
from stream.producer import PRODUCER

BUSY_POLL_S = 0.002
IDLE_POLL_S = 0.02
WARM_UP_S = 3.4
BREAKER_S = 2.0

GATEWAY_PRODUCER = {
    **PRODUCER,
    "linger.ms": 2,
    "delivery.timeout.ms": 120_000,  # longer than our deadline, or the idempotent producer runs into gaps
    "request.timeout.ms": 5_000,
    "socket.timeout.ms": 10_000,
    "queue.buffering.max.messages": 10_000,
    "queue.buffering.max.kbytes": 65_536,
}


class Unavailable(Exception):
    """Kafka has not acknowledged in time; whether it will is not known."""


class Flight:
    """A record on its way: since when (monotonic seconds), who waits for it, whether its report has come."""

    __slots__ = ("landed", "name", "since", "waiting")

    def __init__(self, name: Hashable, since: float) -> None:
        self.name = name
        self.since = since
        self.landed = False
        self.waiting: list[asyncio.Future[None]] = []


class Appender:
    """Must be made and used inside the running event loop."""

    def __init__(self, cluster: Cluster) -> None:
        self._loop = asyncio.get_running_loop()
        self._producer = cluster.producer({**GATEWAY_PRODUCER, "error_cb": self._failed})
        self._waiting: dict[float, deque[tuple[float, asyncio.Future[None]]]] = defaultdict(deque)
        self._flying: deque[Flight] = deque()
        self._named: dict[Hashable, Flight] = {}
        self._polling = False
        self.fatal: str | None = None

    def append(self, topic: str, key: str, value: bytes, name: Hashable, deadline_s: float) -> "asyncio.Future[None]":
        """Done once every in-sync replica has the record; what has the same `name` and is on its way is not sent again.

        Raises Unavailable at the deadline, or at once while records before it are stuck.
        """
        if self.is_open():
            raise Unavailable
        flight = self._named.get(name) or self._send(topic, key, value, name)
        arrived = self._loop.create_future()
        flight.waiting.append(arrived)
        self._waiting[deadline_s].append((time.monotonic() + deadline_s, arrived))
        return arrived

    def send(self, topic: str, key: str, value: bytes) -> None:
        """Append without waiting; lost when Kafka is away."""
        if not self.is_open():
            self._send(topic, key, value, object())

    def is_open(self) -> bool:
        """Whether the breaker is open: the oldest record in flight has waited so long that more would only queue."""
        self._forget_landed()
        return bool(self._flying) and time.monotonic() - self._flying[0].since > BREAKER_S

    def problem(self) -> str | None:
        """What keeps this appender from its work."""
        return self.fatal or ("Kafka does not acknowledge" if self.is_open() else None)

    async def warm_up(self, topics: list[str]) -> None:
        """Fetch each topic's metadata, or the first record of each would wait half a second for it."""
        try:
            for topic in topics:
                await asyncio.to_thread(self._producer.list_topics, topic, WARM_UP_S)
        except KafkaException as away:
            log.warning("kafka.away", error=str(away))

    async def close(self, seconds: float) -> None:
        """Wait for what is in flight; what was not acknowledged was not answered 2xx either."""
        await asyncio.to_thread(self._producer.flush, seconds)

    def _send(self, topic: str, key: str, value: bytes, name: Hashable) -> Flight:
        flight = Flight(name, time.monotonic())
        try:
            self._producer.produce(topic, value, key, on_delivery=lambda error, _: self._landed(flight, error))
        except (BufferError, KafkaException) as full:
            raise Unavailable from full
        self._flying.append(flight)
        self._named[name] = flight
        if not self._polling:
            self._polling = True
            self._loop.call_later(BUSY_POLL_S, self._poll)
        return flight

    def _landed(self, flight: Flight, error: KafkaError | None) -> None:
        flight.landed = True
        del self._named[flight.name]
        for arrived in flight.waiting:
            if not arrived.done():  # its sender may have hung up, or been told 503
                arrived.set_exception(Unavailable()) if error else arrived.set_result(None)
        if error:
            log.warning("append.failed", error=error.str())

    def _poll(self) -> None:
        landed = self._producer.poll(0)
        now = time.monotonic()
        for waiting in self._waiting.values():  # those of one deadline stand in its order
            while waiting and (waiting[0][1].done() or now > waiting[0][0]):
                _, late = waiting.popleft()
                if not late.done():
                    late.set_exception(Unavailable())
        self._forget_landed()
        self._polling = bool(self._flying)
        if self._polling:
            stuck = not landed and now - self._flying[0].since > 10 * BUSY_POLL_S
            self._loop.call_later(IDLE_POLL_S if stuck else BUSY_POLL_S, self._poll)

    def _forget_landed(self) -> None:
        while self._flying and self._flying[0].landed:
            self._flying.popleft()

    def _failed(self, error: KafkaError) -> None:
        if error.fatal():
            self.fatal = f"Kafka's producer has failed for good: {error.str()}"
        log.warning("kafka.error", error=error.str())
