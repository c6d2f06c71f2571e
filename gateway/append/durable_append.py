"""Takes charge of records: Kafka has them, or the spool has, until Kafka is back. Order is kept either way."""

import asyncio
import time
from collections.abc import Hashable

from gateway import metrics
from gateway.append.appender import Appender, Unavailable
from gateway.append.spool import Spool, Spooled, SpoolFull, State
from runtime.logging import log

DRAIN_AT_ONCE = 500
DRAIN_S = 30.0
"""How long Kafka may take for a part of the spool before it is tried again."""
LOOK_S = 0.2
PROBE_S = 2.0
"""Seconds between trial writes to the spool's disk while nothing else is written to it."""
DISK_RETRY_S = 1.0

_REASONS = {SpoolFull: "the spool is full", TimeoutError: "the disk does not answer"}


class DurableAppend:
    """`spool` is None where none is configured: then what Kafka does not take is refused."""

    def __init__(self, appender: Appender, spool: Spool | None) -> None:
        self._appender = appender
        self._spool = spool
        self._probed = 0.0

    async def take(self, record: Spooled, name: Hashable, deadline_s: float) -> bool:
        """Return once the record is safe: True when in the spool, False when in Kafka.

        Raises Unavailable when it is in neither.
        """
        spool = self._spool
        if spool is None:
            await self._appender.append(*record, name, deadline_s)
            return False
        if not spool.holds_any:
            try:
                await self._appender.append(*record, name, deadline_s)
            except Unavailable:
                log.info("webhook.spooled", count=spool.records)
            else:
                return False
        await self._put_aside(spool, record, deadline_s)
        return True

    def state(self) -> State | None:
        """What waits in the spool; None without one."""
        return self._spool.state() if self._spool else None

    def problem(self) -> str | None:
        """What keeps webhooks from being taken; with a spool that has room, Kafka's absence does not."""
        if self._spool is None or self._appender.fatal:
            return self._appender.problem()
        if self._spool.holds_any or self._appender.is_open():
            return self._spool_problem(self._spool)
        return None

    def warning(self) -> str | None:
        """Return the reason why webhooks could not be accepted if Kafka were away; None when they could.

        It is no reason to send nothing now: Kafka takes them, and so may be said of each gateway on a disk like this.
        """
        return self._spool_problem(self._spool) if self._spool and not self.problem() else None

    @staticmethod
    def _spool_problem(spool: Spool) -> str | None:
        if spool.is_full:
            return "the spool is full"
        return f"the spool's disk refuses writes: {spool.refused}" if spool.refused else None

    async def drain(self) -> None:
        """Bring what is in the spool to Kafka, in its order, whenever Kafka is there; never ends with a spool.

        A disk that fails is told of and tried again; what Kafka has and the disk could not note, Kafka may get twice.
        """
        while self._spool is not None:
            try:
                wait = await self._drain_some(self._spool)
            except OSError as failure:
                log.error("spool.drain_failed", error=str(failure), count=self._spool.records)
                wait = DISK_RETRY_S
            await asyncio.sleep(wait)

    async def _drain_some(self, spool: Spool) -> float:
        """Bring the next records to Kafka; how long to wait before there may be more. Raises OSError."""
        if not spool.records:
            await self._probe(spool)
            return LOOK_S
        records, position = spool.peek(DRAIN_AT_ONCE)
        if not await self._append_all(records):
            return LOOK_S
        try:
            spool.advance(position, len(records))
        finally:
            metrics.SPOOLED.set(spool.records)
            log.info("spool.drained", count=len(records))
        return 0.0

    async def _probe(self, spool: Spool) -> None:
        """Know that the disk refuses writes before a webhook depends on it."""
        if time.monotonic() - self._probed < PROBE_S:
            return
        before = spool.refused
        await asyncio.to_thread(spool.probe)
        self._probed = time.monotonic()
        metrics.SPOOL_REFUSED.set(spool.refused is not None)
        if spool.refused and not before:
            log.error("spool.refuses_writes", error=spool.refused)
        elif before and not spool.refused:
            log.info("spool.takes_writes")

    async def _append_all(self, records: list[Spooled]) -> bool:
        """Whether Kafka has them all now; produced in their order, which the idempotent producer keeps."""
        try:
            arriving = [self._appender.append(*record, object(), DRAIN_S) for record in records]
        except Unavailable:
            return False
        arrived = await asyncio.gather(*arriving, return_exceptions=True)
        return not any(isinstance(result, BaseException) for result in arrived)

    async def _put_aside(self, spool: Spool, record: Spooled, deadline_s: float) -> None:
        try:
            async with asyncio.timeout(deadline_s):  # a disk may hang, too
                await spool.append(record)
        except (SpoolFull, OSError) as full:  # TimeoutError is an OSError
            log.error("spool.failed", error=str(full) or _REASONS.get(type(full), type(full).__name__))
            raise Unavailable from full
        metrics.SPOOLED.set(spool.records)
