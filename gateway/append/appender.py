"""Appends to Kafka from the event loop: one producer, many requests waiting for their delivery reports.

The loop itself polls while records are in flight, so there is no thread and no lock. The deadline is ours: no client
library answers within 45 s of a frozen broker. A record given up on may still be written; its retry has the same id.

Lingering adapts to the load. A record that finds few in flight is sent at once, and the loop waits for its report in
librdkafka, which returns as soon as it is there. A record that finds more in flight waits up to GATHER_S for others:
each request to the broker costs both sides the same, however many records it carries.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Hashable

from confluent_kafka import KafkaError, KafkaException

from runtime.logging import log
from stream.kafka.client_config import Cluster
from stream.kafka.producer import PRODUCER

GATHER_S = 0.002
IDLE_POLL_S = 0.02
STUCK_S = 0.02
FEW = 3
"""With fewer records in flight the next is sent at once, and the loop may wait in librdkafka."""
WAIT_S = 0.001
"""Seconds that the loop waits in librdkafka, the shortest it accepts; Python's lock is free meanwhile."""
WARM_UP_S = 3.4
BREAKER_S = 2.0

GATEWAY_PRODUCER = {
    **PRODUCER,
    "linger.ms": 0,  # the appender gathers, by how many are in flight
    "delivery.timeout.ms": 120_000,  # longer than our deadline, or the idempotent producer runs into gaps
    "request.timeout.ms": 5_000,
    "socket.timeout.ms": 10_000,
    "queue.buffering.max.messages": 10_000,
    "queue.buffering.max.kbytes": 65_536,
}


class Unavailable(Exception):
    """Kafka has not acknowledged in time; whether it will is not known."""


class Flight:
    """A record on its way: since when (monotonic seconds), who waits for it, whether its report has come.

    It is called with its delivery report.
    """

    __slots__ = ("_named", "landed", "name", "record", "since", "waiting")

    def __init__(self, record: tuple[str, bytes, str], name: Hashable, named: "dict[Hashable, Flight]") -> None:
        self.record = record
        self.name = name
        self.since = time.monotonic()
        self.landed = False
        self.waiting: list[asyncio.Future[None]] = []
        self._named = named

    def __call__(self, error: KafkaError | None, _: object) -> None:
        self.land(error.str() if error else None)

    def land(self, error: str | None) -> None:
        """Tell those who wait that the record was acknowledged, or that it was not."""
        self.landed = True
        del self._named[self.name]
        for arrived in self.waiting:
            if not arrived.done():  # its sender may have hung up, or been told 503
                arrived.set_exception(Unavailable()) if error else arrived.set_result(None)
        if error:
            log.warning("append.failed", error=error)


class Appender:
    """Must be made and used inside the running event loop."""

    def __init__(self, cluster: Cluster) -> None:
        self._loop = asyncio.get_running_loop()
        self._producer = cluster.producer({**GATEWAY_PRODUCER, "error_cb": self._failed})
        self._waiting: dict[float, deque[tuple[float, asyncio.Future[None]]]] = defaultdict(deque)
        self._flying: deque[Flight] = deque()
        self._named: dict[Hashable, Flight] = {}
        self._gathered: list[Flight] = []
        self._polling = self._stuck = False
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
        self._produce_gathered()
        await asyncio.to_thread(self._producer.flush, seconds)

    def _send(self, topic: str, key: str, value: bytes, name: Hashable) -> Flight:
        flight = Flight((topic, value, key), name, self._named)
        if len(self._flying) < FEW and not self._gathered:
            self._produce(flight)
        else:
            self._gathered.append(flight)
        self._flying.append(flight)
        self._named[name] = flight
        if not self._polling:
            self._polling = True
            self._loop.call_soon(self._poll)
        return flight

    def _produce(self, flight: Flight) -> None:
        """Hand a record to librdkafka. Raises Unavailable when that has no room for it."""
        try:
            self._producer.produce(*flight.record, on_delivery=flight)
        except (BufferError, KafkaException) as full:
            raise Unavailable from full

    def _produce_gathered(self) -> None:
        """Hand over what was gathered, in its order; what finds no room is not acknowledged."""
        gathered, self._gathered = self._gathered, []
        for flight in gathered:
            try:
                self._produce(flight)
            except Unavailable as full:
                flight.land(str(full.__cause__))

    def _poll(self) -> None:
        self._produce_gathered()
        landed = self._producer.poll(WAIT_S if len(self._flying) <= FEW and not self._stuck else 0)
        now = time.monotonic()
        for waiting in self._waiting.values():  # those of one deadline stand in its order
            while waiting and (waiting[0][1].done() or now > waiting[0][0]):
                _, late = waiting.popleft()
                if not late.done():
                    late.set_exception(Unavailable())
        self._forget_landed()
        self._polling = bool(self._flying)
        self._stuck = self._polling and not landed and now - self._flying[0].since > STUCK_S
        if self._stuck:
            self._loop.call_later(IDLE_POLL_S, self._poll)
        elif len(self._flying) > FEW:
            self._loop.call_later(GATHER_S, self._poll)
        elif self._polling:
            self._loop.call_soon(self._poll)

    def _forget_landed(self) -> None:
        while self._flying and self._flying[0].landed:
            self._flying.popleft()

    def _failed(self, error: KafkaError) -> None:
        if error.fatal():
            self.fatal = f"Kafka's producer has failed for good: {error.str()}"
        log.warning("kafka.error", error=error.str())
