"""A client is given up once it has waited in vain while Kafka was well all the time, and never before."""

from collections.abc import Collection, Iterator

import pytest

from stream.kafka.watchdog import LOOK_S, LOOKS, Watchdog

TOPICS = {"payments.v1"}


def silence(*kafka: str) -> Watchdog:
    """One whose looks find Kafka like this, at last ever again so."""
    found: Iterator[str] = iter(kafka)

    def is_well(_: Collection[str]) -> bool:
        return next(found, kafka[-1]) == "well"

    return Watchdog("consumer", is_well)


def looks(of: Watchdog, count: int, begin: float = 0.0) -> list[bool]:
    """What it says at its beginning and at so many looks."""
    return [of.tick(TOPICS, begin + number * LOOK_S) for number in range(count + 1)]


def test_it_is_for_good_once_kafka_was_well_at_every_look() -> None:
    assert looks(silence("well"), LOOKS) == [False] * LOOKS + [True]


def test_between_two_looks_nobody_is_asked() -> None:
    def is_well(_: Collection[str]) -> bool:
        pytest.fail("asked too soon")

    quick = Watchdog("producer", is_well)

    assert [quick.tick(TOPICS, number * LOOK_S / 10) for number in range(10)] == [False] * 10


def test_while_kafka_is_away_it_lasts_as_long_as_it_takes() -> None:
    assert True not in looks(silence("away"), 10 * LOOKS)


def test_kafka_has_its_time_when_it_has_just_come_back() -> None:
    """It was away at the second look; the count begins anew there."""
    assert looks(silence("well", "away", "well"), LOOKS + 2) == [False] * (LOOKS + 2) + [True]


def test_what_is_heard_begins_it_anew() -> None:
    heard = silence("well")
    looks(heard, LOOKS - 1)

    heard.reset()

    assert looks(heard, LOOKS, begin=1000.0) == [False] * LOOKS + [True]
