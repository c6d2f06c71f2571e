"""Decorators that mark points at which tests inject faults. Without FAULT, they return the function unchanged.

`FAULT=worker.after_commit:exit:3` exits the process the third time it reaches a point: `runtime.faults.injection` says
what else can happen. Only a process with that variable, which is read at import, loads that module.
"""

import os
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
Step = TypeVar("Step", bound=Callable[..., object])

# Not a setting, so that operators do not find it among the settings.
_POINT = os.environ.get("FAULT", "").partition(":")[0]


def on_call(point: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark `point`, which is reached each time before the decorated function runs."""
    if point != _POINT:
        return _unchanged
    from runtime.faults import injection  # noqa: PLC0415

    return injection.on_call


def on_return(point: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark `point`, which is reached each time the decorated function has returned anything but an empty list."""
    if point != _POINT:
        return _unchanged
    from runtime.faults import injection  # noqa: PLC0415

    return injection.on_return


def halfway(point: str) -> Callable[[Step], Step]:
    """Mark `point` in the middle of a method that takes one sequence and returns None.

    If FAULT names the point, the method is called with each half of the sequence, and the point is between.
    """
    if point != _POINT:
        return _unchanged
    from runtime.faults import injection  # noqa: PLC0415

    return injection.halfway


def _unchanged(step: Step) -> Step:
    return step
