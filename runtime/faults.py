"""Fault injection for tests: `FAULT=worker.after_commit:exit:3` exits the process the third time it reaches a point.

`exit` ends the process without cleaning up, as a power failure would. `stop` freezes it until SIGCONT, `raise` raises
Fault, and `sleep:N` sleeps N seconds, the first time only. The variable is read at import. A decorator returns the
function itself for any other point, so unused fault points cost nothing.
"""

import os
import signal
import time
from collections.abc import Callable, Sequence
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
Step = TypeVar("Step", bound=Callable[..., object])
EXIT_CODE = 9

# Not a setting, so that operators do not find it among the settings.
_point, _action, _argument = (*os.environ.get("FAULT", "").split(":", 2), "", "")[:3]
_hits = 0


class Fault(Exception):
    """The error that `FAULT=point:raise` injects."""


def before(point: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a point that is reached before the function runs."""

    def mark(step: Callable[P, R]) -> Callable[P, R]:
        if point != _point:
            return step

        @wraps(step)
        def faulty(*args: P.args, **kwargs: P.kwargs) -> R:
            _trigger()
            return step(*args, **kwargs)

        return faulty

    return mark


def after(point: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a point that is reached after the function has run, unless it returned an empty list."""

    def mark(step: Callable[P, R]) -> Callable[P, R]:
        if point != _point:
            return step

        @wraps(step)
        def faulty(*args: P.args, **kwargs: P.kwargs) -> R:
            result = step(*args, **kwargs)
            if result != []:
                _trigger()
            return result

        return faulty

    return mark


def halfway(point: str) -> Callable[[Step], Step]:
    """Mark a point in the middle of a method that takes a sequence; the method is then called with each half."""

    def mark(step: Step) -> Step:
        if point != _point:
            return step

        @wraps(step)
        def faulty(self: object, items: Sequence[object]) -> None:
            step(self, items[: len(items) // 2])
            _trigger()
            step(self, items[len(items) // 2 :])

        return faulty  # type: ignore[return-value]

    return mark


def _trigger() -> None:
    global _hits  # noqa: PLW0603 - the process has one fault
    _hits += 1
    if _hits != (1 if _action == "sleep" else int(_argument or 1)):
        return
    match _action:
        case "exit":
            os._exit(EXIT_CODE)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "sleep":
            time.sleep(float(_argument))
        case _:
            raise Fault(_point)
