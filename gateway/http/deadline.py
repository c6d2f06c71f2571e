"""How long a body may take: one timer for all requests, because one for each costs more than reading the body."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
SWEEP_S = 0.1


class DeadlineExceeded(Exception):
    """What was waited for has not come in time."""


class Wait:
    """One task that waits, until when (the loop's time), and whether its time ran out."""

    __slots__ = ("ended", "expired", "task", "until")

    def __init__(self, task: "asyncio.Task[Any]", until: float) -> None:
        self.task = task
        self.until = until
        self.ended = False
        self.expired = False


class DeadlineTimer:
    """Gives every wait the same time, kept to a tenth of a second."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waits: deque[Wait] = deque()
        self._sweeping = False

    async def wait_for(self, coming: Coroutine[Any, Any, T]) -> T:
        """What `coming` brings.

        Raises OutOfPatience when it takes too long.
        """
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        wait = Wait(task, loop.time() + self._seconds)
        self._waits.append(wait)
        if not self._sweeping:
            self._sweeping = True
            loop.call_later(SWEEP_S, self._sweep, loop)
        try:
            return await coming
        except asyncio.CancelledError:
            if not wait.expired:
                raise
            task.uncancel()
            raise DeadlineExceeded from None
        finally:
            wait.ended = True

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """End what is overdue. All have the same time, so the oldest stands first."""
        now = loop.time()
        while self._waits and (self._waits[0].ended or self._waits[0].until < now):
            wait = self._waits.popleft()
            if not wait.ended:
                wait.expired = True
                wait.task.cancel()
        self._sweeping = bool(self._waits)
        if self._sweeping:
            loop.call_later(SWEEP_S, self._sweep, loop)
