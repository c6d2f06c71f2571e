"""When a failed event is tried again: each wait is longer, and events that failed together come back apart."""

from hypothesis import given
from hypothesis import strategies as st

from stream.state.retry_policy import FACTOR, JITTER, MAX_RETRIES, next_attempt, wait_s

FIRST_S = 2.0


@given(st.uuids(), st.integers(1, MAX_RETRIES))
def test_each_wait_is_a_multiple_of_the_one_before_plus_jitter(event: object, attempts: int) -> None:
    least = FIRST_S * FACTOR ** (attempts - 1)

    assert least <= wait_s(str(event), attempts, FIRST_S) <= least * (1 + JITTER)


def test_the_jitter_is_the_same_for_an_event_and_differs_between_events() -> None:
    assert wait_s("a", 1, FIRST_S) == wait_s("a", 1, FIRST_S) != wait_s("b", 1, FIRST_S)


def test_the_last_retry_by_an_operator_has_the_number_of_the_last_attempt() -> None:
    assert [next_attempt(attempts) for attempts in (0, 1, MAX_RETRIES, MAX_RETRIES + 1)] == [
        1,
        2,
        MAX_RETRIES + 1,
        MAX_RETRIES + 1,
    ]
