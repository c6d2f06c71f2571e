"""The search for the highest rate, on a side that sustains a known one."""

from collections.abc import Callable

import pytest

from bench.rig.open_loop import Post
from bench.rig.search import CLOSE, THOROUGH, highest
from bench.rig.trial import OK, Outcome, Window


def sustaining(most: float, rates_: list[float]) -> Callable[[float, float], Window]:
    """Measure a side that accepts everything up to `most` webhooks a second and refuses beyond."""

    def run(rate: float, seconds: float) -> Window:
        rates_.append(rate)
        post = Post(1000.0, 1000.1, OK if rate <= most else 503)
        outcome = Outcome(post, wants_row=True, wants_mail=True, row=1000.1, mail=1000.1)
        return Window(rate, seconds, [outcome], {}, 0, 1, {})

    return run


@pytest.mark.parametrize("most", [12, 49, 50, 100, 333, 1000])
def test_it_finds_what_a_side_sustains_and_confirms_it_for_long(most: int) -> None:
    rates: list[float] = []

    found = highest(sustaining(most, rates), 50, THOROUGH, lambda _: None)

    assert found is not None
    assert found.seconds == THOROUGH.final_s
    assert most / CLOSE <= found.rate <= most


def test_a_side_that_sustains_nothing_has_no_highest_rate() -> None:
    assert highest(sustaining(0, []), 50, THOROUGH, lambda _: None) is None


def test_every_window_is_reported() -> None:
    rates: list[float] = []
    windows: list[Window] = []

    highest(sustaining(120, rates), 50, THOROUGH, windows.append)

    assert [window.rate for window in windows] == rates
