"""Takes charge of records: Kafka has them, or the spool has, until Kafka is back. Order is kept either way."""

import asyncio
from collections.abc import Hashable

from gateway import metrics
from gateway.appender import Appender, Unavailable
from gateway.spool import Spool, Spooled, SpoolFull, State
from runtime.logging import log

DRAIN_AT_ONCE = 500
DRAIN_S = 30.0
"""How long Kafka may take for a part of the spool before it is tried again."""
LOOK_S = 0.2


class Custody:
    """`spool` is None where none is configured: then what Kafka does not take is refused."""

    def __init__(self, appender: Appender, spool: Spool | None) -> None:
        self._appender = appender
        self._spool = spool

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
        await self._put_aside(spool, record)
        return True

    def state(self) -> State | None:
        """What waits in the spool; None without one."""
        return self._spool.state() if self._spool else None

    def problem(self) -> str | None:
        """What keeps webhooks from being taken; with a spool that has room, Kafka's absence does not."""
        if self._spool is None or self._appender.fatal:
            return self._appender.problem()
        return "the spool is full" if self._spool.is_full else None

    async def drain(self) -> None:
        """Bring what is in the spool to Kafka, in its order, whenever Kafka is there; never ends."""
        while self._spool is not None:
            if not self._spool.records:
                await asyncio.sleep(LOOK_S)
                continue
            records, position = self._spool.peek(DRAIN_AT_ONCE)
            if await self._append_all(records):
                self._spool.advance(position, len(records))
                metrics.SPOOLED.set(self._spool.records)
                log.info("spool.drained", count=len(records))
            else:
                await asyncio.sleep(LOOK_S)

    async def _append_all(self, records: list[Spooled]) -> bool:
        """Whether Kafka has them all now; produced in their order, which the idempotent producer keeps."""
        try:
            arriving = [self._appender.append(*record, object(), DRAIN_S) for record in records]
        except Unavailable:
            return False
        arrived = await asyncio.gather(*arriving, return_exceptions=True)
        return not any(isinstance(result, BaseException) for result in arrived)

    async def _put_aside(self, spool: Spool, record: Spooled) -> None:
        try:
            await spool.append(record)
        except (SpoolFull, OSError) as full:
            log.error("spool.failed", error=str(full) or "the spool is full")
            raise Unavailable from full
        metrics.SPOOLED.set(spool.records)
