"""The progress bars of a replay."""

from stream.replay.offsets import OffsetRange
from stream.replay.progress import lines


def test_each_partition_has_its_share_its_rate_and_the_time_it_has_left() -> None:
    spans = {("orders.v1", 0): OffsetRange(0, 100), ("orders.v1", 1): OffsetRange(50, 150)}

    drawn = lines(spans, {("orders.v1", 0): 100, ("orders.v1", 1): 75}, 5.0)

    assert [line.split("]")[1].split() for line in drawn] == [
        "100% 100 of 100 20/s 00:00 left".split(),
        "25% 25 of 100 5/s 00:15 left".split(),
        "62% 125 of 200 25/s 00:03 left".split(),
    ]


def test_what_has_not_begun_has_no_end_in_sight() -> None:
    assert "--:-- left" in lines({("orders.v1", 0): OffsetRange(0, 10)}, {("orders.v1", 0): 0}, 1.0)[0]
