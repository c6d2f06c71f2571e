"""Faults on purpose, for tests: `FAULT=worker.after_commit:exit:3` ends the process the third time it is there.

`exit` ends it as the power would, `stop` freezes it until somebody sends SIGCONT, `raise` fails the step; with
`sleep:N` it idles N seconds, once. The variable is read at import, and a point that it does not name is the bare step:
it costs nothing.
"""

import os
import signal
import time
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
Step = TypeVar("Step", bound=Callable[..., Any])
EXIT_CODE = 9

# Not a setting: nobody who operates the system should find it among those.
_point, _action, _argument = (*os.environ.get("FAULT", "").split(":", 2), "", "")[:3]
_times = 0


class Fault(Exception):
    """What `FAULT=point:raise` raises."""


def before(point: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A point that is reached before the step is done."""

    def mark(step: Callable[P, R]) -> Callable[P, R]:
        if point != _point:
            return step

        @wraps(step)
        def faulty(*args: P.args, **kwargs: P.kwargs) -> R:
            _strike()
            return step(*args, **kwargs)

        return faulty

    return mark


def after(point: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A point that is reached when the step is done, unless it found nothing and gave an empty list."""

    def mark(step: Callable[P, R]) -> Callable[P, R]:
        if point != _point:
            return step

        @wraps(step)
        def faulty(*args: P.args, **kwargs: P.kwargs) -> R:
            done = step(*args, **kwargs)
            if done != []:
                _strike()
            return done

        return faulty

    return mark


def halfway(point: str) -> Callable[[Step], Step]:
    """A point that is reached when a method has done half of the things it is given, in two parts then."""

    def mark(step: Step) -> Step:
        if point != _point:
            return step

        @wraps(step)
        def faulty(self: object, things: Sequence[Any]) -> None:
            step(self, things[: len(things) // 2])
            _strike()
            step(self, things[len(things) // 2 :])

        return faulty  # type: ignore[return-value]

    return mark


def _strike() -> None:
    global _times  # noqa: PLW0603 - the process has one fault
    _times += 1
    if _times != (1 if _action == "sleep" else int(_argument or 1)):
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
