"""Moves the records of the spool to Kafka once Kafka is back, and probes the spool's disk while the spool is empty."""

import asyncio
import time
from typing import NoReturn

from gateway import metrics
from gateway.append.appender import Appender, Unavailable
from gateway.append.spool import ProducerRecord, Spool
from runtime.logging import log

DRAIN_BATCH = 500
DRAIN_TIMEOUT_S = 30.0
"""Seconds that Kafka has for one batch of the spool before the batch is retried."""
DRAIN_INTERVAL_S = 0.2
PROBE_INTERVAL_S = 2.0
"""Seconds between trial writes to the spool's disk while nothing else is written to it."""
DISK_RETRY_S = 1.0


class Drain:
    """Moves the records of `spool` to Kafka through `appender`."""

    def __init__(self, appender: Appender, spool: Spool) -> None:
        self._appender = appender
        self._spool = spool
        self._probed_at = 0.0

    async def run(self) -> NoReturn:
        """Append the spool's records to Kafka in order, whenever Kafka is available.

        A failure of the disk is logged and retried. Kafka gets records twice if it acknowledges only a part of their
        batch, or if the disk cannot save the position after the batch.
        """
        while True:
            try:
                wait = await self._append_batch(self._spool)
            except OSError as failure:
                log.error("spool.drain_failed", error=str(failure), count=self._spool.records)
                wait = DISK_RETRY_S
            await asyncio.sleep(wait)

    async def _append_batch(self, spool: Spool) -> float:
        """Append the next records to Kafka; return the seconds until the next attempt. Raises OSError."""
        if not spool.records:
            await self._probe(spool)
            return DRAIN_INTERVAL_S
        records, position = spool.peek(DRAIN_BATCH)
        if not await self._append_all(records):
            return DRAIN_INTERVAL_S
        try:
            spool.advance(position, len(records))
        finally:
            metrics.SPOOLED.set(spool.records)
            log.info("spool.drained", count=len(records))
        return 0.0

    async def _probe(self, spool: Spool) -> None:
        """Find out that the disk refuses writes before a webhook depends on it."""
        if time.monotonic() - self._probed_at < PROBE_INTERVAL_S:
            return
        before = spool.write_error
        await asyncio.to_thread(spool.probe)
        self._probed_at = time.monotonic()
        metrics.SPOOL_REFUSED.set(spool.write_error is not None)
        if spool.write_error and not before:
            log.error("spool.refuses_writes", error=spool.write_error)
        elif before and not spool.write_error:
            log.info("spool.takes_writes")

    async def _append_all(self, records: list[ProducerRecord]) -> bool:
        """Return whether Kafka has acknowledged all records; the idempotent producer keeps their order."""
        try:
            futures = [self._appender.append(*record, object(), DRAIN_TIMEOUT_S) for record in records]
        except Unavailable:
            return False
        results = await asyncio.gather(*futures, return_exceptions=True)
        return not any(isinstance(result, BaseException) for result in results)
