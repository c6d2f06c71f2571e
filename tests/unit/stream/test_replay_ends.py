"""How far a service had come whose store was lost: what is replayed in silence, and what is yet to be told."""

from stream.events import topics
from stream.events.topics import PARTITIONS
from stream.replay.offsets import group_positions

PAYMENTS = topics.PAYMENT_WEBHOOKS


def test_where_a_group_has_committed_nothing_it_has_been_nowhere() -> None:
    found = group_positions({(PAYMENTS.name, 3): 7}, [PAYMENTS])

    assert found == {(PAYMENTS.name, number): 7 if number == 3 else 0 for number in range(PARTITIONS)}


def test_of_a_group_that_kafka_has_forgotten_nobody_knows_how_far_it_was() -> None:
    assert group_positions({}, [PAYMENTS]) == {}


def test_what_a_group_says_of_topics_that_are_read_beside_is_left_out() -> None:
    assert group_positions({(topics.OUTCOMES.name, 0): 9}, [PAYMENTS]) == {}
