"""A provider is asked no faster than it allows, and hardly at all while it fails."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from confirmer.polling.provider_client import MAX_FAILURES, OPEN
from confirmer.polling.provider_client import breaker as closed
from runtime.timing.circuit_breaker import MAX_RETRY_AFTER_S
from runtime.timing.rate_limiter import RateLimiter


@given(asked=st.lists(st.floats(0, 10), min_size=1, max_size=50).map(sorted), per_second=st.floats(0.5, 50))
def test_turns_are_never_closer_than_the_rate_allows(asked: list[float], per_second: float) -> None:
    rate_limiter = RateLimiter(per_second)

    turns = [now + rate_limiter.reserve(now) for now in asked]

    gaps = [later - earlier for earlier, later in pairwise(turns)]
    assert all(gap >= 1 / per_second - 1e-9 for gap in gaps)


def test_a_circuit_opens_after_failures_in_a_row_and_rests_longer_each_time() -> None:
    breaker, now, waits = closed(), 100.0, []
    for _ in range(MAX_FAILURES - 1):
        breaker.record_failure(now)
    assert not breaker.is_open
    assert breaker.retry_after(now) == 0

    for _ in range(8):
        breaker.record_failure(now)
        waits.append(breaker.retry_after(now))
        now += breaker.retry_after(now)

    assert breaker.is_open
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]
    breaker.record_success()
    assert not breaker.is_open
    assert breaker.retry_after(now) == 0


def test_failures_that_were_under_way_when_it_opened_do_not_lengthen_the_rest() -> None:
    breaker = closed()
    for _ in range(MAX_FAILURES + 20):
        breaker.record_failure(100.0)

    assert breaker.retry_after(100.0) == OPEN.first_s


def test_a_provider_that_asks_for_a_rest_is_given_it_up_to_an_hour() -> None:
    breaker = closed()

    breaker.record_failure(100.0, retry_after_s=30)
    assert breaker.retry_after(100.0) == 30
    breaker.record_failure(100.0, retry_after_s=1e9)
    assert breaker.retry_after(100.0) == MAX_RETRY_AFTER_S
