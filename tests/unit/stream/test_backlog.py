"""The backlog of a worker: the number of unprocessed records, and the age of the oldest."""

from stream.worker.monitoring.backlog import Backlog

PAYMENTS, OTHER = ("webhooks.payment.v1", 0), ("webhooks.payment.v1", 1)
TOPIC = "webhooks.payment.v1"


def test_a_worker_that_is_up_to_date_has_no_lag_and_no_age() -> None:
    backlog = Backlog()

    backlog.update({PAYMENTS: 7}, {PAYMENTS: 7}, now=100.0)

    assert (backlog.lag(), backlog.age(TOPIC, 100.0)) == ({}, 0.0)


def test_lag_is_counted_over_the_partitions_of_a_topic() -> None:
    backlog = Backlog()

    backlog.update({PAYMENTS: 5, OTHER: 0}, {PAYMENTS: 7, OTHER: 3}, now=100.0)

    assert backlog.lag() == {TOPIC: 5}


def test_what_was_not_fetched_is_as_old_as_it_is_known() -> None:
    backlog = Backlog()
    backlog.update({PAYMENTS: 5}, {PAYMENTS: 6}, now=100.0)

    backlog.update({PAYMENTS: 5}, {PAYMENTS: 9}, now=130.0)

    assert backlog.age(TOPIC, 160.0) == 60.0


def test_what_is_in_hand_is_as_old_as_kafka_says_also_when_it_came_long_before_this_worker() -> None:
    backlog = Backlog()
    backlog.update({PAYMENTS: 5}, {PAYMENTS: 9}, now=100.0)

    backlog.set_in_hand([(PAYMENTS, 40.0), (PAYMENTS, 35.0), (OTHER, 90.0)])

    assert backlog.age(TOPIC, 100.0) == 65.0


def test_what_was_processed_ages_no_more_and_what_came_since_is_young() -> None:
    backlog = Backlog()
    backlog.update({PAYMENTS: 5}, {PAYMENTS: 9}, now=100.0)

    backlog.update({PAYMENTS: 9}, {PAYMENTS: 9}, now=110.0)
    backlog.update({PAYMENTS: 9}, {PAYMENTS: 10}, now=500.0)

    assert backlog.age(TOPIC, 501.0) == 1.0


def test_a_partition_that_another_worker_took_counts_no_more() -> None:
    backlog = Backlog()
    backlog.update({PAYMENTS: 5, OTHER: 0}, {PAYMENTS: 9, OTHER: 0}, now=100.0)

    backlog.update({OTHER: 0}, {PAYMENTS: 9, OTHER: 0}, now=110.0)

    assert (backlog.lag(), backlog.age(TOPIC, 200.0)) == ({}, 0.0)


def test_when_old_records_were_processed_the_age_is_that_of_the_next_in_hand() -> None:
    # Given a batch of old records in hand, and more behind it
    backlog = Backlog()
    backlog.update({PAYMENTS: 0}, {PAYMENTS: 9}, now=1000.0)
    backlog.set_in_hand([(PAYMENTS, 40.0)])

    # When that batch is done, and the next one is in hand
    backlog.update({PAYMENTS: 5}, {PAYMENTS: 9}, now=1001.0)
    backlog.set_in_hand([(PAYMENTS, 990.0)])

    # Then the old ones count no more
    assert backlog.age(TOPIC, 1001.0) == 11.0


def test_a_worker_that_keeps_up_with_steady_traffic_does_not_age() -> None:
    backlog = Backlog()

    for second in range(0, 600, 5):  # at every look something is under way, and never the same
        backlog.update({PAYMENTS: second}, {PAYMENTS: second + 3}, now=float(second))

    assert backlog.age(TOPIC, 595.0) == 0.0


def test_when_nothing_is_in_hand_any_more_nothing_ages() -> None:
    backlog = Backlog()
    backlog.set_in_hand([(PAYMENTS, 40.0)])

    backlog.set_in_hand([])

    assert backlog.age(TOPIC, 100.0) == 0.0


def test_what_was_processed_since_the_last_measurement_has_no_age() -> None:
    backlog = Backlog()
    backlog.update({PAYMENTS: 5, OTHER: 2}, {PAYMENTS: 7, OTHER: 4}, now=100.0)

    backlog.drop_processed({PAYMENTS: 6, OTHER: 4})
    assert backlog.age(TOPIC, 103.0) == 3.0

    backlog.drop_processed({PAYMENTS: 7, OTHER: 4})
    assert backlog.age(TOPIC, 104.0) == 0.0
