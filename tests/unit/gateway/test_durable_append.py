"""What the log says of the spool, while Kafka is unavailable: each record once it is on the disk, and none before."""

import asyncio
import json
from pathlib import Path

import pytest

from gateway.append.appender import Appender, Unavailable
from gateway.append.durable_append import DurableAppend
from gateway.append.spool import ProducerRecord, Spool
from runtime.logging import log
from stream.kafka.cluster import Cluster

NOWHERE = Cluster("127.0.0.1:1", "gateway")
RECORDS = [ProducerRecord("webhooks.payment.v1", f"order-{n}", b"x" * 100) for n in range(3)]
ROOM_FOR_TWO = 300


async def _append(folder: Path, max_bytes: int) -> list[bool | None]:
    """Append RECORDS one after the other; return for each whether it is spooled, None if it is not durable."""
    durable_append, results = DurableAppend(Appender(NOWHERE), Spool(folder, max_bytes)), list[bool | None]()
    for record in RECORDS:
        try:
            results.append(await durable_append.append(record, record.key, 0.2))
        except Unavailable:
            results.append(None)
    return results


def logged(capfd: pytest.CaptureFixture[str]) -> list[tuple[str, object]]:
    log.flush()
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    return [
        (line["event"], line.get("count")) for line in lines if line["event"] in ("webhook.spooled", "spool.failed")
    ]


def test_each_spooled_record_is_logged_with_the_number_in_the_spool(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    results = asyncio.run(_append(tmp_path, 1_000_000))

    assert results == [True, True, True]
    assert logged(capfd) == [("webhook.spooled", 1), ("webhook.spooled", 2), ("webhook.spooled", 3)]


def test_a_record_that_the_spool_refuses_is_not_logged_as_spooled(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    results = asyncio.run(_append(tmp_path, ROOM_FOR_TWO))

    assert results == [True, True, None]
    assert logged(capfd) == [("webhook.spooled", 1), ("webhook.spooled", 2), ("spool.failed", None)]
