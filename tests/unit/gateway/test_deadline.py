"""The timeout of bodies: one timer for all of them, and each has its full time."""

import asyncio

import pytest

from gateway.http.deadline import SWEEP_S, DeadlineExceeded, DeadlineTimer


async def _after(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "here"


async def _timed(timer: DeadlineTimer, seconds: float) -> tuple[str, float]:
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        return await timer.wait_for(_after(seconds)), loop.time() - began
    except DeadlineExceeded:
        return "too late", loop.time() - began


def test_what_comes_in_time_is_handed_on() -> None:
    async def story() -> tuple[str, float]:
        return await _timed(DeadlineTimer(5.0), 0.01)

    assert asyncio.run(story())[0] == "here"


def test_what_does_not_come_is_given_up_on_about_when_it_should() -> None:
    async def story() -> tuple[str, float]:
        return await _timed(DeadlineTimer(0.2), 60)

    became, seconds = asyncio.run(story())

    assert became == "too late"
    assert 0.2 <= seconds < 0.2 + SWEEP_S + 0.5


def test_the_quick_do_not_wait_for_the_slow_nor_the_slow_lose_time_to_them() -> None:
    async def story() -> list[tuple[str, float]]:
        timer = DeadlineTimer(0.4)
        slow = asyncio.create_task(_timed(timer, 60))
        quick = [await _timed(timer, 0.05) for _ in range(3)]
        late = asyncio.create_task(_timed(timer, 60))
        return [*quick, await slow, await late]

    *quick, slow, late = asyncio.run(story())

    assert {became for became, _ in quick} == {"here"}
    assert (slow[0], late[0]) == ("too late",) * 2
    assert late[1] >= 0.4


def test_a_request_that_is_cancelled_from_outside_is_no_slow_body() -> None:
    async def story() -> None:
        waiting = asyncio.create_task(DeadlineTimer(5.0).wait_for(_after(60)))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await waiting

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(story())


def test_after_a_slow_body_the_task_goes_on() -> None:
    async def story() -> str:
        timer = DeadlineTimer(0.1)
        with pytest.raises(DeadlineExceeded):
            await timer.wait_for(_after(60))
        return await timer.wait_for(_after(0.01))

    assert asyncio.run(story()) == "here"


def test_a_failure_is_passed_on() -> None:
    async def fail() -> None:
        raise KeyError("gone")

    with pytest.raises(KeyError):
        asyncio.run(DeadlineTimer(1.0).wait_for(fail()))
