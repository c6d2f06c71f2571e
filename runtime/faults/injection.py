"""Injects the fault that FAULT names, such as `FAULT=worker.after_commit:exit:3`; for tests only.

`exit` ends the process without cleaning up, as a power failure would. `stop` freezes it until SIGCONT, `raise` raises
Fault: these three at the first visit to the point, or at that of the number at the end. `sleep:N` sleeps N seconds at
the first visit.
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

_point, _action, _argument = (*os.environ.get("FAULT", "").split(":", 2), "", "")[:3]
_hits = 0


class Fault(Exception):
    """The error that `FAULT=point:raise` injects."""


def on_call(step: Callable[P, R]) -> Callable[P, R]:
    """Return `step`, with a visit to the fault's point before each call."""

    @wraps(step)
    def faulty(*args: P.args, **kwargs: P.kwargs) -> R:
        _trigger()
        return step(*args, **kwargs)

    return faulty


def on_return(step: Callable[P, R]) -> Callable[P, R]:
    """Return `step`, with a visit to the fault's point after each call that has not returned an empty list."""

    @wraps(step)
    def faulty(*args: P.args, **kwargs: P.kwargs) -> R:
        result = step(*args, **kwargs)
        if result != []:
            _trigger()
        return result

    return faulty


def halfway(step: Step) -> Step:
    """Return the method `step`, called with each half of the sequence it takes, and a visit to the point in between."""

    @wraps(step)
    def faulty(self: object, items: Sequence[object]) -> None:
        step(self, items[: len(items) // 2])
        _trigger()
        step(self, items[len(items) // 2 :])

    return faulty  # type: ignore[return-value]


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
