"""A timeout for many coroutines with one timer: a timer per request costs more than reading its body."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")
SWEEP_S = 0.1
"""Seconds between two checks for overdue coroutines."""


class DeadlineExceeded(Exception):
    """The awaited coroutine did not return in time."""


class Wait:
    """One waiting task; `deadline` is in seconds of the event loop's clock."""

    __slots__ = ("deadline", "ended", "expired", "task")

    def __init__(self, task: "asyncio.Task[object]", deadline: float) -> None:
        self.task = task
        self.deadline = deadline
        self.ended = False
        self.expired = False


class DeadlineTimer:
    """Gives every coroutine the same timeout of `seconds`, exceeded by SWEEP_S at most."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waits: deque[Wait] = deque()
        self._sweeping = False

    async def wait_for(self, coroutine: Coroutine[object, object, T]) -> T:
        """Return the coroutine's result. If it takes too long, cancel it and raise DeadlineExceeded."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        wait = Wait(task, loop.time() + self._seconds)
        self._waits.append(wait)
        if not self._sweeping:
            self._sweeping = True
            loop.call_later(SWEEP_S, self._sweep, loop)
        try:
            return await coroutine
        except asyncio.CancelledError:
            if not wait.expired:
                raise
            task.uncancel()
            raise DeadlineExceeded from None
        finally:
            wait.ended = True

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cancel overdue tasks. All have the same timeout, so the queue is in order of their deadlines."""
        now = loop.time()
        while self._waits and (self._waits[0].ended or self._waits[0].deadline < now):
            wait = self._waits.popleft()
            if not wait.ended:
                wait.expired = True
                wait.task.cancel()
        self._sweeping = bool(self._waits)
        if self._sweeping:
            loop.call_later(SWEEP_S, self._sweep, loop)
