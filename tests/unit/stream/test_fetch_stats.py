"""Which assigned partitions a consumer does not fetch."""

import json

from stream.kafka.group.fetch_stats import STALE_S, FetchStats

ASSIGNED = {("payments.v1", 0), ("payments.v1", 1), ("refunds.v1", 0)}


def statistics(**states: str) -> str:
    """Return statistics as librdkafka reports them: one fetch state per partition, -1 for its internal partition."""
    internal = {"-1": {"partition": -1, "fetch_state": "none", "fetchq_cnt": 0}}
    topics = {
        f"{topic}.v1": {
            "age": 1,
            "partitions": internal
            | {str(n): {"partition": n, "fetch_state": state} for n, state in enumerate(of.split())},
        }
        for topic, of in states.items()
    }
    return json.dumps({"name": "rdkafka#consumer-1", "topics": topics})


def unread(now: float, **states: str) -> set[str]:
    fetch_stats = FetchStats(["payments.v1", "refunds.v1"], 0.0)
    fetch_stats.update(statistics(**states), 0.0)
    return fetch_stats.unread(ASSIGNED, now)


def test_a_partition_that_is_fetched_is_read() -> None:
    assert unread(1.0, payments="active active", refunds="active none") == set()


def test_a_partition_that_waits_for_its_offset_is_not_read() -> None:
    assert unread(1.0, payments="active offset-wait", refunds="active") == {"payments.v1"}


def test_a_partition_missing_from_the_statistics_is_not_read() -> None:
    assert unread(1.0, payments="active active") == {"refunds.v1"}


def test_no_topic_is_read_once_the_statistics_are_stale() -> None:
    assert unread(STALE_S + 1, payments="active active", refunds="active") == {"payments.v1", "refunds.v1"}


def test_a_partition_that_is_not_assigned_need_not_be_read() -> None:
    fetch_stats = FetchStats(["payments.v1"], 0.0)

    assert fetch_stats.unread((), STALE_S) == set()


def test_stale_statistics_count_even_when_no_partition_is_assigned() -> None:
    fetch_stats = FetchStats(["payments.v1"], 0.0)

    assert fetch_stats.unread((), STALE_S + 1) == {"payments.v1"}
