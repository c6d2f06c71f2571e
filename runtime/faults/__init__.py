"""Points at which tests inject faults. Without FAULT in the environment, each of them is the function itself.

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


def before(point: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a point that is reached before the function runs."""
    if point != _POINT:
        return _unchanged
    from runtime.faults import injection  # noqa: PLC0415

    return injection.before


def after(point: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a point that is reached after the function has run, unless it returned an empty list."""
    if point != _POINT:
        return _unchanged
    from runtime.faults import injection  # noqa: PLC0415

    return injection.after


def halfway(point: str) -> Callable[[Step], Step]:
    """Mark a point in the middle of a method that takes a sequence; the method is then called with each half."""
    if point != _POINT:
        return _unchanged
    from runtime.faults import injection  # noqa: PLC0415

    return injection.halfway


def _unchanged(step: Step) -> Step:
    return step
