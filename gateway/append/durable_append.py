"""Makes records durable: appends them to Kafka, or to the spool while Kafka is unavailable, and keeps their order."""

import asyncio
from collections.abc import Hashable

from gateway import metrics
from gateway.append.appender import Appender, Unavailable
from gateway.append.spool import ProducerRecord, Spool, SpoolFull, SpoolState
from runtime.logging import log

_REASONS = {SpoolFull: "the spool is full", TimeoutError: "the disk does not answer"}


class DurableAppend:
    """Appends records through `appender`, or to `spool`, if there is one, while Kafka is unavailable."""

    def __init__(self, appender: Appender, spool: Spool | None) -> None:
        self._appender = appender
        self._spool = spool

    async def append(self, record: ProducerRecord, dedup_key: Hashable, deadline_s: float) -> bool:
        """Return once the record is durable: True if it is in the spool, False if in Kafka.

        Kafka has `deadline_s` seconds for the record, then the spool has as many. While the spool has records, new ones
        go behind them. Raises Unavailable if neither confirms the record in time; it may still be written to both.
        """
        spool = self._spool
        if spool is None:
            await self._appender.append(*record, dedup_key, deadline_s)
            return False
        if not spool.has_pending:
            try:
                await self._appender.append(*record, dedup_key, deadline_s)
            except Unavailable:
                pass  # then the spool takes the record
            else:
                return False
        await self._append_to_spool(spool, record, deadline_s)
        return True

    def state(self) -> SpoolState | None:
        """Return the spool's state; None without a spool."""
        return self._spool.state() if self._spool else None

    async def _append_to_spool(self, spool: Spool, record: ProducerRecord, deadline_s: float) -> None:
        """Append to the spool. Raises Unavailable if it is full, or the disk fails or hangs for `deadline_s`."""
        try:
            async with asyncio.timeout(deadline_s):
                await spool.append(record)
        except (SpoolFull, OSError) as failure:  # TimeoutError is an OSError
            log.error("spool.failed", error=str(failure) or _REASONS.get(type(failure), type(failure).__name__))
            raise Unavailable from failure
        metrics.SPOOLED.set(spool.records)
        log.info("webhook.spooled", count=spool.records)
