"""Appends records to Kafka from the event loop: one producer, many requests that wait for their delivery reports.

The event loop polls librdkafka itself while records are in flight, so there is no thread and no lock. The deadline is
enforced here, because no client library answers within 45 s of a frozen broker. A record whose deadline has passed may
still be written; the sender's retry has the same id.

Lingering adapts to the load. With few records in flight, a record is sent at once, and the loop waits for its report in
librdkafka, which returns as soon as the report is there. With more in flight, a record waits up to GATHER_S for others:
each request to the broker costs both sides the same, however many records it has.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Hashable

from confluent_kafka import KafkaError, KafkaException

from runtime.logging import log
from stream.kafka.cluster import Cluster
from stream.kafka.producer import PRODUCER

GATHER_S = 0.002
"""Seconds for which records are gathered while FEW or more are in flight."""
IDLE_POLL_S = 0.02
STALLED_S = 0.02
"""Seconds without a delivery report after which the loop polls every IDLE_POLL_S only."""
FEW = 3
"""With fewer records in flight, the next is sent at once and the loop may wait in librdkafka."""
WAIT_S = 0.001
"""Seconds that the loop waits in librdkafka, the shortest it accepts; Python's lock is free meanwhile."""
WARM_UP_S = 3.4
"""Timeout of fetching one topic's metadata."""
BREAKER_S = 2.0
"""Seconds that the oldest record may be in flight before new records are refused."""

GATEWAY_PRODUCER = {
    **PRODUCER,
    "linger.ms": 0,  # the appender gathers records itself, by the number in flight
    "delivery.timeout.ms": 120_000,  # longer than the appender's deadline, or the idempotent producer runs into gaps
    "request.timeout.ms": 5_000,
    "socket.timeout.ms": 10_000,
    "queue.buffering.max.messages": 10_000,
    "queue.buffering.max.kbytes": 65_536,
}


class Unavailable(Exception):
    """A record is not durable: it was not sent, or not acknowledged in time, and may then still be written."""


class InFlightRecord:
    """A record without a delivery report yet, and the futures of the requests that wait for it.

    `since` is in seconds of the monotonic clock. librdkafka calls the object with the delivery report.
    """

    __slots__ = ("_by_key", "dedup_key", "is_complete", "record", "since", "waiters")

    def __init__(
        self, record: tuple[str, bytes, str], dedup_key: Hashable, by_key: "dict[Hashable, InFlightRecord]"
    ) -> None:
        self.record = record
        self.dedup_key = dedup_key
        self.since = time.monotonic()
        self.is_complete = False
        self.waiters: list[asyncio.Future[None]] = []
        self._by_key = by_key

    def __call__(self, error: KafkaError | None, _: object) -> None:
        self.complete(error.str() if error else None)

    def complete(self, error: str | None) -> None:
        """Resolve the waiting futures, with Unavailable if there is an `error`, which is logged."""
        self.is_complete = True
        del self._by_key[self.dedup_key]
        for waiter in self.waiters:
            if not waiter.done():  # the sender may have disconnected or been answered 503
                waiter.set_exception(Unavailable()) if error else waiter.set_result(None)
        if error:
            log.warning("append.failed", error=error)


class Appender:
    """Appends to Kafka with per-record deadlines. Must be created and used inside the running event loop."""

    def __init__(self, cluster: Cluster) -> None:
        self._loop = asyncio.get_running_loop()
        self._producer = cluster.producer({**GATEWAY_PRODUCER, "error_cb": self._on_error})
        self._deadlines: dict[float, deque[tuple[float, asyncio.Future[None]]]] = defaultdict(deque)
        self._in_flight: deque[InFlightRecord] = deque()
        self._by_key: dict[Hashable, InFlightRecord] = {}
        self._gathered: list[InFlightRecord] = []
        self._polling = self._stalled = False
        self.fatal: str | None = None
        """Why the producer has failed permanently: only a restart helps. None while it has not."""

    def append(
        self, topic: str, key: str, value: bytes, dedup_key: Hashable, deadline_s: float
    ) -> "asyncio.Future[None]":
        """Return a future that is done once every in-sync replica has the record.

        While a record with this `dedup_key` is in flight, no second one is sent, and the future waits for the first.
        The future raises Unavailable after `deadline_s` seconds, or if Kafka refuses the record; `append` itself raises
        it while the breaker is open. If librdkafka's queue is full, either may raise it.
        """
        if self.is_breaker_open():
            raise Unavailable
        in_flight = self._by_key.get(dedup_key) or self._send(topic, key, value, dedup_key)
        waiter = self._loop.create_future()
        in_flight.waiters.append(waiter)
        self._deadlines[deadline_s].append((time.monotonic() + deadline_s, waiter))
        return waiter

    def send(self, topic: str, key: str, value: bytes) -> None:
        """Append without waiting, or drop the record while the breaker is open. May raise Unavailable on a full queue.

        The record is lost if Kafka does not take it.
        """
        if not self.is_breaker_open():
            self._send(topic, key, value, object())

    def is_breaker_open(self) -> bool:
        """Return whether the oldest record has been in flight for more than BREAKER_S, so that no more are accepted."""
        self._drop_completed()
        return bool(self._in_flight) and time.monotonic() - self._in_flight[0].since > BREAKER_S

    def problem(self) -> str | None:
        """Return why this appender cannot append now, or None: also if Kafka is away and no record is in flight."""
        return self.fatal or ("Kafka does not acknowledge" if self.is_breaker_open() else None)

    async def warm_up(self, topics: list[str]) -> None:
        """Fetch each topic's metadata, without which its first record waits half a second.

        Never raises: the first failure is logged, and the remaining topics are left out.
        """
        try:
            for topic in topics:
                await asyncio.to_thread(self._producer.list_topics, topic, WARM_UP_S)
        except KafkaException as unavailable:
            log.warning("kafka.away", error=str(unavailable))

    async def close(self, seconds: float) -> None:
        """Wait up to `seconds` for the records in flight, of which the rest may be lost.

        The webhooks of lost records were not answered 2xx.
        """
        self._produce_gathered()
        await asyncio.to_thread(self._producer.flush, seconds)

    def _send(self, topic: str, key: str, value: bytes, dedup_key: Hashable) -> InFlightRecord:
        in_flight = InFlightRecord((topic, value, key), dedup_key, self._by_key)
        if len(self._in_flight) < FEW and not self._gathered:
            self._produce(in_flight)
        else:
            self._gathered.append(in_flight)
        self._in_flight.append(in_flight)
        self._by_key[dedup_key] = in_flight
        if not self._polling:
            self._polling = True
            self._loop.call_soon(self._poll)
        return in_flight

    def _produce(self, in_flight: InFlightRecord) -> None:
        """Hand a record to librdkafka. Raises Unavailable if its queue is full."""
        try:
            self._producer.produce(*in_flight.record, on_delivery=in_flight)
        except (BufferError, KafkaException) as full:
            raise Unavailable from full

    def _produce_gathered(self) -> None:
        """Hand the gathered records to librdkafka in order; those that find its queue full complete with an error."""
        gathered, self._gathered = self._gathered, []
        for in_flight in gathered:
            try:
                self._produce(in_flight)
            except Unavailable as full:
                in_flight.complete(str(full.__cause__))

    def _poll(self) -> None:
        self._produce_gathered()
        reports = self._producer.poll(WAIT_S if len(self._in_flight) <= FEW and not self._stalled else 0)
        now = time.monotonic()
        for waiting in self._deadlines.values():  # futures with the same timeout are in order of their deadlines
            while waiting and (waiting[0][1].done() or now > waiting[0][0]):
                _, waiter = waiting.popleft()
                if not waiter.done():
                    waiter.set_exception(Unavailable())
        self._drop_completed()
        self._polling = bool(self._in_flight)
        self._stalled = self._polling and not reports and now - self._in_flight[0].since > STALLED_S
        if self._stalled:
            self._loop.call_later(IDLE_POLL_S, self._poll)
        elif len(self._in_flight) > FEW:
            self._loop.call_later(GATHER_S, self._poll)
        elif self._polling:
            self._loop.call_soon(self._poll)

    def _drop_completed(self) -> None:
        while self._in_flight and self._in_flight[0].is_complete:
            self._in_flight.popleft()

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self.fatal = f"Kafka's producer has failed permanently: {error.str()}"
        log.warning("kafka.error", error=error.str())
