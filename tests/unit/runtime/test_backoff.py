"""Waits grow by a factor up to the longest, and are shortened by at most a half."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.timing.backoff import Backoff

BACKOFF = Backoff(1.0, 300.0)


def test_waits_double_up_to_the_longest() -> None:
    assert [BACKOFF.wait_s(attempts) for attempts in (1, 2, 3, 9, 10, 1000)] == [1, 2, 4, 256, 300, 300]


def test_another_factor_has_no_longest_wait_unless_it_is_given() -> None:
    assert [Backoff(2.0, factor=4).wait_s(attempts) for attempts in range(1, 6)] == [2, 8, 32, 128, 512]


@given(attempts=st.integers(1, 100_000), chance=st.floats(0, 1))
def test_chance_shortens_a_wait_by_at_most_a_half(attempts: int, chance: float) -> None:
    whole = BACKOFF.wait_s(attempts)

    assert whole / 2 <= BACKOFF.wait_s(attempts, chance) <= whole
