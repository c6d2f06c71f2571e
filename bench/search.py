"""The highest rate that a side sustains: steps up, one or two in between, and a long one that confirms."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.rig.trial import Window

Run = Callable[[float, float], Window]
"""Measures a rate for so many seconds."""

STEP_UP = 1.5
CLOSE = 1.2
"""Rates whose ratio is smaller are not told apart."""
STEP_DOWN = 0.9
TRIES = 3


@dataclass(frozen=True, slots=True)
class Effort:
    """Seconds of a step and of the confirming one, each after `warm_s` at the same rate."""

    step_s: float
    final_s: float
    warm_s: float = 5.0


THOROUGH = Effort(step_s=15, final_s=120)


def highest(run: Run, start: float, effort: Effort, tell: Callable[[Window], None]) -> Window | None:
    """The window of the highest rate at which lag stays flat, all is accepted and nothing is missing; None for none.

    Every window is told, also those that were not sustained. Raises nothing when a rate is too high: that is the end.
    """
    good, bad = _bracket(run, start, effort, tell)
    if good == 0:
        return None
    while bad / good > CLOSE:
        middle = (good * bad) ** 0.5
        good, bad = (middle, bad) if _holds(run, middle, effort.step_s, tell) else (good, middle)
    for attempt in range(TRIES):
        window = run(good * STEP_DOWN**attempt, effort.final_s)
        tell(window)
        if window.is_flat:
            return window
    return None


def _bracket(run: Run, start: float, effort: Effort, tell: Callable[[Window], None]) -> tuple[float, float]:
    """A rate that holds and a higher one that does not."""
    good, rate = 0.0, start
    while _holds(run, rate, effort.step_s, tell):
        good, rate = rate, rate * STEP_UP
    while good == 0 and rate > 1:
        bad, rate = rate, rate / STEP_UP
        good = rate if _holds(run, rate, effort.step_s, tell) else 0.0
        if good:
            return good, bad
    return good, rate


def _holds(run: Run, rate: float, seconds: float, tell: Callable[[Window], None]) -> bool:
    window = run(rate, seconds)
    tell(window)
    return window.is_flat
