"""A consumer that Kafka gave partitions and that does not begin to read them is found out."""

import json

from stream.deafness import DEAF_S, Deafness

OURS = {("payments.v1", 0), ("payments.v1", 1)}


def statistics(*states: str) -> str:
    """As librdkafka tells them, with more than is looked at; -1 is its own partition for what has none yet."""
    partitions = {str(n): {"partition": n, "fetch_state": state, "fetchq_cnt": 0} for n, state in enumerate(states)}
    none = {"-1": {"partition": -1, "fetch_state": "none", "fetchq_cnt": 0}}
    return json.dumps(
        {"name": "rdkafka#consumer-1", "topics": {"payments.v1": {"age": 1, "partitions": partitions | none}}}
    )


def test_partitions_that_are_read_are_no_reason_to_suspect_anything() -> None:
    deafness = Deafness()

    deafness.told(statistics("active", "active"), OURS, now=0.0)

    assert not deafness.is_suspected(now=10 * DEAF_S)


def test_a_partition_that_is_not_read_for_long_is_suspected_and_named() -> None:
    deafness = Deafness()
    deafness.told(statistics("active", "offset-wait"), OURS, now=0.0)
    deafness.told(statistics("active", "none"), OURS, now=DEAF_S)

    assert not deafness.is_suspected(now=DEAF_S)
    assert deafness.is_suspected(now=DEAF_S + 1)
    assert deafness.unread == {("payments.v1", 1)}


def test_one_that_the_statistics_do_not_know_is_not_read() -> None:
    deafness = Deafness()

    deafness.told(statistics("active"), OURS, now=0.0)

    assert deafness.unread == {("payments.v1", 1)}


def test_what_is_another_s_may_stand_still() -> None:
    deafness = Deafness()

    deafness.told(statistics("active", "none"), {("payments.v1", 0)}, now=0.0)

    assert not deafness.is_suspected(now=10 * DEAF_S)


def test_it_begins_anew_once_all_is_read_or_after_a_wait() -> None:
    deafness = Deafness()
    deafness.told(statistics("active", "none"), OURS, now=0.0)
    deafness.told(statistics("active", "active"), OURS, now=5.0)
    deafness.told(statistics("active", "none"), OURS, now=10.0)

    assert not deafness.is_suspected(now=DEAF_S + 5)

    deafness.forget()

    assert not deafness.is_suspected(now=10 * DEAF_S)
