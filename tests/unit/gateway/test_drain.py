"""A gateway that no longer brings its spool to Kafka ends, to be started again: it would only fill its disk."""

import asyncio
from asyncio import Event

from gateway.__main__ import _drain_failure, _until
from gateway.append.appender import Appender
from gateway.append.durable_append import DurableAppend
from stream.kafka.client_config import Cluster

NOWHERE = Cluster("127.0.0.1:1", "gateway")


async def breaks() -> None:
    raise RuntimeError("a bug")


def test_a_drain_that_ends_ends_the_gateway_and_says_why() -> None:
    async def run() -> str | None:
        appender = Appender(NOWHERE)
        serving, draining = asyncio.create_task(asyncio.sleep(600)), asyncio.create_task(breaks())
        await asyncio.wait_for(_until(Event(), appender, serving, draining), 30)
        serving.cancel()
        return _drain_failure(draining)

    said = asyncio.run(run())

    assert said is not None
    assert "no longer brought to Kafka (RuntimeError('a bug'))" in said


def test_a_drain_that_still_works_is_stopped_without_a_word() -> None:
    async def run() -> str | None:
        draining = asyncio.create_task(asyncio.sleep(600))
        return _drain_failure(draining)

    assert asyncio.run(run()) is None
    assert _drain_failure(None) is None


def test_without_a_spool_nothing_is_drained_or_warned_of() -> None:
    async def run() -> str | None:
        custody = DurableAppend(Appender(NOWHERE), None)
        await custody.drain()
        return custody.warning()

    assert asyncio.run(run()) is None
