"""A client counts as stuck after HEALTHY_CHECKS checks in a row that found Kafka healthy, and never before."""

from collections.abc import Collection, Iterator

import pytest

from stream.kafka.watchdog import CHECK_S, HEALTHY_CHECKS, Watchdog

TOPICS = {"payments.v1"}


def watchdog(*kafka: str) -> Watchdog:
    """Return a watchdog that finds Kafka in these states; the last state repeats."""
    states: Iterator[str] = iter(kafka)

    def is_healthy(_: Collection[str]) -> bool:
        return next(states, kafka[-1]) == "healthy"

    return Watchdog("consumer", is_healthy)


def ticks(of: Watchdog, count: int, begin: float = 0.0) -> list[bool]:
    """Return the answers of `tick` at the beginning of a silence and at `count` looks after it."""
    return [of.tick(TOPICS, begin + number * CHECK_S) for number in range(count + 1)]


def test_a_client_is_stuck_once_kafka_was_healthy_at_every_look() -> None:
    assert ticks(watchdog("healthy"), HEALTHY_CHECKS) == [False] * HEALTHY_CHECKS + [True]


def test_kafka_is_not_queried_between_two_looks() -> None:
    def is_healthy(_: Collection[str]) -> bool:
        pytest.fail("queried too soon")

    quick = Watchdog("producer", is_healthy)

    assert [quick.tick(TOPICS, number * CHECK_S / 10) for number in range(10)] == [False] * 10


def test_a_client_is_never_stuck_while_kafka_is_away() -> None:
    assert True not in ticks(watchdog("away"), 10 * HEALTHY_CHECKS)


def test_the_count_begins_anew_when_kafka_was_away_at_a_look() -> None:
    """Kafka was away at the second look."""
    assert ticks(watchdog("healthy", "away", "healthy"), HEALTHY_CHECKS + 2) == [False] * (HEALTHY_CHECKS + 2) + [True]


def test_data_that_arrives_ends_the_silence() -> None:
    interrupted = watchdog("healthy")
    ticks(interrupted, HEALTHY_CHECKS - 1)

    interrupted.reset()

    assert ticks(interrupted, HEALTHY_CHECKS, begin=1000.0) == [False] * HEALTHY_CHECKS + [True]
