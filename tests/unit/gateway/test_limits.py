"""The token bucket: a burst, then a rate, and the truth about how long to wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.limits import SourceLimiter, TokenBucket


def test_a_burst_is_let_through_and_no_more() -> None:
    bucket = TokenBucket(rate=50, burst=100)

    waits = [bucket.take(now=1000.0) for _ in range(101)]

    assert waits[:100] == [0] * 100
    assert waits[100] == pytest.approx(1 / 50)


def test_tokens_come_back_at_the_rate_and_never_beyond_the_burst() -> None:
    bucket = TokenBucket(rate=2, burst=4)
    for _ in range(4):
        bucket.take(now=10.0)

    after_a_second = [bucket.take(now=11.0) for _ in range(3)]
    after_a_year = [bucket.take(now=3e7) for _ in range(5)]

    assert [wait == 0 for wait in after_a_second] == [True, True, False]
    assert [wait == 0 for wait in after_a_year] == [True] * 4 + [False]


def test_who_waits_as_long_as_told_gets_a_token() -> None:
    bucket = TokenBucket(rate=3, burst=1)
    bucket.take(now=5.0)

    wait = bucket.take(now=5.0)

    assert bucket.take(now=5.0 + wait - 0.01) > 0
    assert bucket.take(now=5.0 + wait + 1e-9) == 0


def test_asking_in_vain_costs_nothing() -> None:
    bucket = TokenBucket(rate=1, burst=1)
    bucket.take(now=0.0)

    waits = [bucket.take(now=0.5) for _ in range(100)]

    assert waits == [pytest.approx(0.5)] * 100
    assert bucket.take(now=1.0) == 0


@given(
    rate=st.integers(1, 100),
    burst=st.integers(1, 100),
    pauses=st.lists(st.floats(min_value=0, max_value=5), min_size=1, max_size=200),
)
def test_no_stretch_of_time_sees_more_than_its_burst_and_rate(rate: int, burst: int, pauses: list[float]) -> None:
    bucket, now, let_through = TokenBucket(rate, burst), 100.0, 0

    for pause in pauses:
        now += pause
        let_through += bucket.take(now) == 0

    assert let_through <= burst + (now - 100.0) * rate + 1e-6


def test_a_source_has_a_burst_and_a_rate_of_its_own() -> None:
    sources = SourceLimiter(rate=50, burst=100)

    garbage = [sources.take("garbage", now=1000.0) for _ in range(600)]
    genuine = [sources.take("genuine", now=1000.0) for _ in range(100)]

    assert [wait == 0 for wait in garbage] == [True] * 100 + [False] * 500
    assert garbage[-1] == pytest.approx(1 / 50)
    assert genuine == [0] * 100
    assert sources.take("garbage", now=1000.0 + garbage[-1]) == 0


@given(
    rate=st.integers(1, 100),
    burst=st.integers(1, 100),
    pauses=st.lists(st.floats(min_value=0, max_value=5), min_size=1, max_size=200),
)
def test_a_source_is_limited_exactly_as_a_bucket_of_its_own(rate: int, burst: int, pauses: list[float]) -> None:
    bucket, sources, now = TokenBucket(rate, burst), SourceLimiter(rate, burst), 100.0

    for pause in pauses:
        now += pause
        assert sources.take("one", now) == pytest.approx(bucket.take(now), abs=1e-6)


def test_sources_are_remembered_in_bounded_memory_and_the_longest_unseen_is_forgotten_first() -> None:
    sources = SourceLimiter(rate=1, burst=1, max_sources=100)
    sources.take("flooder", now=10.0)

    for n in range(1000):
        sources.take(f"source {n}", now=10.0)
        sources.take("source 0", now=10.0)

    assert len(sources) == 100
    assert sources.take("source 999", now=10.0) > 0
    assert sources.take("flooder", now=10.0) == 0
