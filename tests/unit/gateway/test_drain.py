"""A gateway that no longer serves, or no longer drains its spool, exits with the reason, to be restarted."""

import asyncio
from asyncio import Event

from gateway.append.appender import Appender
from gateway.append.readiness import Readiness
from gateway.serving import _stop_draining, _wait_for_end
from stream.kafka.cluster import Cluster

NOWHERE = Cluster("127.0.0.1:1", "gateway")


async def breaks() -> None:
    raise RuntimeError("a bug")


def test_a_drain_that_ends_ends_the_gateway_and_says_why() -> None:
    async def run() -> str | None:
        appender = Appender(NOWHERE)
        serving, draining = asyncio.create_task(asyncio.sleep(600)), asyncio.create_task(breaks())
        await asyncio.wait_for(_wait_for_end(Event(), appender, serving, draining), 30)
        serving.cancel()
        return _stop_draining(draining)

    said = asyncio.run(run())

    assert said is not None
    assert "no longer drained to Kafka (RuntimeError('a bug'))" in said


def test_a_server_that_ends_ends_the_gateway_and_says_why() -> None:
    async def run() -> str | None:
        serving = asyncio.create_task(breaks())
        return await asyncio.wait_for(_wait_for_end(Event(), Appender(NOWHERE), serving, None), 30)

    assert asyncio.run(run()) == "the HTTP server has ended (RuntimeError('a bug')); restart the gateway"


def test_a_server_that_still_serves_at_the_stop_signal_has_no_failure() -> None:
    async def run() -> str | None:
        stop, serving = Event(), asyncio.create_task(asyncio.sleep(600))
        stop.set()
        return await asyncio.wait_for(_wait_for_end(stop, Appender(NOWHERE), serving, None), 30)

    assert asyncio.run(run()) is None


def test_a_drain_that_still_works_is_stopped_without_a_word() -> None:
    async def run() -> str | None:
        draining = asyncio.create_task(asyncio.sleep(600))
        return _stop_draining(draining)

    assert asyncio.run(run()) is None
    assert _stop_draining(None) is None


def test_without_a_spool_nothing_is_warned_of() -> None:
    async def run() -> str | None:
        return Readiness(Appender(NOWHERE), None).warning()

    assert asyncio.run(run()) is None
