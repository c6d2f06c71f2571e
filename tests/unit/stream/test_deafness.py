"""Of the partitions a consumer was given, which it does not read."""

import json

from stream.kafka.fetch_stats import QUIET_S, FetchStats

OURS = {("payments.v1", 0), ("payments.v1", 1), ("refunds.v1", 0)}


def statistics(**states: str) -> str:
    """As librdkafka tells them, one state a partition, with more than is looked at; -1 is its own for what has none."""
    none = {"-1": {"partition": -1, "fetch_state": "none", "fetchq_cnt": 0}}
    topics = {
        f"{topic}.v1": {
            "age": 1,
            "partitions": none | {str(n): {"partition": n, "fetch_state": state} for n, state in enumerate(of.split())},
        }
        for topic, of in states.items()
    }
    return json.dumps({"name": "rdkafka#consumer-1", "topics": topics})


def unread(now: float, **states: str) -> set[str]:
    deafness = FetchStats(["payments.v1", "refunds.v1"], 0.0)
    deafness.told(statistics(**states), 0.0)
    return deafness.unread(OURS, now)


def test_it_reads_what_it_fetches_from() -> None:
    assert unread(1.0, payments="active active", refunds="active none") == set()


def test_what_waits_for_its_offset_is_not_read() -> None:
    assert unread(1.0, payments="active offset-wait", refunds="active") == {"payments.v1"}


def test_what_the_statistics_do_not_know_is_not_read() -> None:
    assert unread(1.0, payments="active active") == {"refunds.v1"}


def test_nothing_is_read_of_which_nothing_is_told_any_more() -> None:
    assert unread(QUIET_S + 1, payments="active active", refunds="active") == {"payments.v1", "refunds.v1"}


def test_what_is_not_assigned_may_stand_still() -> None:
    deafness = FetchStats(["payments.v1"], 0.0)

    assert deafness.unread((), QUIET_S) == set()


def test_who_is_told_nothing_any_more_has_nothing_assigned_in_vain() -> None:
    deafness = FetchStats(["payments.v1"], 0.0)

    assert deafness.unread((), QUIET_S + 1) == {"payments.v1"}
