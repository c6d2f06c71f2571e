"""Searches the highest rate that a side sustains: steps up, bisects once or twice, and confirms with a long window."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.rig.trial import Window

Run = Callable[[float, float], Window]
"""Measures a window, given rate and seconds."""

STEP_UP = 1.5
CLOSE = 1.2
"""The bisection ends when the ratio of the two rates is smaller."""
STEP_DOWN = 0.9
TRIES = 3


@dataclass(frozen=True, slots=True)
class Effort:
    """Seconds of a step of the search, of the window that confirms its result, and of the warm-up before each."""

    step_s: float
    final_s: float
    warm_s: float = 5.0


THOROUGH = Effort(step_s=15, final_s=120)


def highest(run: Run, start: float, effort: Effort, report: Callable[[Window], None]) -> Window | None:
    """Return the confirming window of the highest rate at which `Window.is_flat` holds; None if no rate is confirmed.

    `report` is called with every window, including those that are not flat.
    """
    good, bad = _bracket(run, start, effort, report)
    if good == 0:
        return None
    while bad / good > CLOSE:
        middle = (good * bad) ** 0.5
        good, bad = (middle, bad) if _is_sustained(run, middle, effort.step_s, report) else (good, middle)
    for attempt in range(TRIES):
        window = run(good * STEP_DOWN**attempt, effort.final_s)
        report(window)
        if window.is_flat:
            return window
    return None


def _bracket(run: Run, start: float, effort: Effort, report: Callable[[Window], None]) -> tuple[float, float]:
    """Return a rate that is sustained (0 if none down to 1/s is) and a higher one that is not."""
    good, rate = 0.0, start
    while _is_sustained(run, rate, effort.step_s, report):
        good, rate = rate, rate * STEP_UP
    while good == 0 and rate > 1:
        bad, rate = rate, rate / STEP_UP
        good = rate if _is_sustained(run, rate, effort.step_s, report) else 0.0
        if good:
            return good, bad
    return good, rate


def _is_sustained(run: Run, rate: float, seconds: float, report: Callable[[Window], None]) -> bool:
    window = run(rate, seconds)
    report(window)
    return window.is_flat
