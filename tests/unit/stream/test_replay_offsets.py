"""The positions of a service whose store was lost: records before them are replayed without publishing."""

from stream.events import topics
from stream.events.topics import PARTITIONS
from stream.replay.offsets import group_positions

PAYMENTS = topics.PAYMENT_WEBHOOKS


def test_a_partition_without_a_committed_offset_has_the_position_zero() -> None:
    found = group_positions({(PAYMENTS.name, 3): 7}, [PAYMENTS])

    assert found == {(PAYMENTS.name, number): 7 if number == 3 else 0 for number in range(PARTITIONS)}


def test_the_positions_of_a_group_that_kafka_has_forgotten_are_unknown() -> None:
    assert group_positions({}, [PAYMENTS]) == {}


def test_offsets_of_other_topics_are_left_out() -> None:
    assert group_positions({(topics.OUTCOMES.name, 0): 9}, [PAYMENTS]) == {}
