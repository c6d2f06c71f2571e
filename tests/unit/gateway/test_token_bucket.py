"""The token bucket: a burst, then a rate, and the exact time to wait."""

import mmap
import secrets
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.token_bucket import SALT_BYTES, SHARED_BYTES, Buckets, LocalBuckets, SharedBuckets, TokenBucket


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


def test_after_the_returned_wait_there_is_a_token() -> None:
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


def shared() -> memoryview:
    """Memory as workers share it."""
    memory = mmap.mmap(-1, SHARED_BYTES)
    memory[:SALT_BYTES] = secrets.token_bytes(SALT_BYTES)
    return memoryview(memory)


MEMORY = shared()


def in_shared_memory(rate: float, burst: float) -> SharedBuckets:
    return SharedBuckets(MEMORY, secrets.token_hex(8), rate, burst)


EITHER = pytest.mark.parametrize("make", [LocalBuckets, in_shared_memory])
Make = Callable[[float, float], Buckets]


@EITHER
def test_a_source_has_a_burst_and_a_rate_of_its_own(make: Make) -> None:
    sources = make(50, 100)

    garbage = [sources.take("garbage", now=1000.0) for _ in range(600)]
    genuine = [sources.take("genuine", now=1000.0) for _ in range(100)]

    assert [wait == 0 for wait in garbage] == [True] * 100 + [False] * 500
    assert garbage[-1] == pytest.approx(1 / 50)
    assert genuine == [0] * 100
    assert sources.take("garbage", now=1000.0 + garbage[-1]) == 0


@EITHER
@given(
    rate=st.integers(1, 100),
    burst=st.integers(4, 100),
    takes=st.lists(st.tuples(st.floats(min_value=0, max_value=5), st.integers(1, 4)), min_size=1, max_size=200),
)
def test_a_source_is_limited_exactly_as_a_bucket_of_its_own(
    make: Make, rate: int, burst: int, takes: list[tuple[float, int]]
) -> None:
    bucket, sources, now = TokenBucket(rate, burst), make(rate, burst), 100.0

    for pause, cost in takes:
        now += pause
        assert sources.take("one", now, cost) == pytest.approx(bucket.take(now, cost), abs=1e-6)


def test_workers_that_share_memory_count_together_and_limits_of_two_kinds_apart() -> None:
    memory = shared()
    first, second = (SharedBuckets(memory, "source", 1, 10) for _ in range(2))

    assert [bucket.take("one", now=5.0) == 0 for bucket in (first, second) * 6] == [True] * 10 + [False] * 2
    assert second.take("another", now=5.0) == 0
    assert SharedBuckets(memory, "provider", 1, 10).take("one", now=5.0) == 0


def test_a_flood_of_sources_takes_no_more_memory_and_limits_nobody_else() -> None:
    sources = SharedBuckets(shared(), "source", 1, 1)

    assert all(sources.take(f"source {n}", now=10.0) == 0 for n in range(20_000))
    assert sources.take("source 19999", now=10.0) > 0


def test_sources_are_remembered_in_bounded_memory_and_the_longest_unseen_is_forgotten_first() -> None:
    sources = LocalBuckets(rate=1, burst=1, max_keys=100)
    sources.take("flooder", now=10.0)

    for n in range(1000):
        sources.take(f"source {n}", now=10.0)
        sources.take("source 0", now=10.0)

    assert len(sources) == 100
    assert sources.take("source 999", now=10.0) > 0
    assert sources.take("flooder", now=10.0) == 0
