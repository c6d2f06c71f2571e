"""Revisions: tuples that grow with each change of an aggregate, so that the newest of its states is known.

Registers only ever take higher stamps, in whatever order events arrive. Their number, and the sums of their ranks and
times, therefore grow with every change. The exception is a stamp that replaces one of the same rank and time: the
revision stays equal.
"""

from collections.abc import Collection

from stream.state.registers import Stamp


def measure(stamps: Collection[Stamp]) -> tuple[int, int, int]:
    """Return the number of stamps, the sum of their ranks, and the sum of their times in microseconds; 0s for none."""
    if not stamps:
        return 0, 0, 0
    return len(stamps), sum(stamp.rank for stamp in stamps), sum(stamp.at for stamp in stamps)
