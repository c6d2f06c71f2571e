"""Split a time range into whole days, whole hours and the rest. Pure.

Webhooks are counted by hour and by day. So a range is counted as days, hours at its edges, and rows for the rest.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from console.queries.criteria import Range

HOUR, DAY = 3_600_000_000, 86_400_000_000
EARLIEST, LATEST = -100_000_000 * DAY, 100_000_000 * DAY
"""Multiples of DAY beyond every time that a record carries."""


class Piece(NamedTuple):
    """The range from `start` until before `end`, in microseconds and in multiples of `span` (0: less than an hour)."""

    span: int
    start: int
    end: int


def bounds(received: Range) -> tuple[int, int]:
    """Return start and end of a range, with EARLIEST and LATEST for None."""
    return (
        EARLIEST if received.start is None else received.start,
        LATEST if received.end is None else received.end,
    )


def pieces(start: int, end: int, spans: Sequence[int] = (DAY, HOUR)) -> list[Piece]:
    """Split a range into as few pieces as possible, the largest in the middle."""
    if start >= end:
        return []
    if not spans:
        return [Piece(0, start, end)]
    span, *smaller = spans
    first, last = -(-start // span) * span, end // span * span
    if first >= last:
        return pieces(start, end, smaller)
    return [*pieces(start, first, smaller), Piece(span, first, last), *pieces(last, end, smaller)]


def newest(counted: Iterable[tuple[int, int]], span: int, end: int, wanted: int) -> list[int]:
    """Return the starts of the newest spans that together contain `wanted` webhooks, or of all spans.

    `counted` are pairs of start and number, newest first. Webhooks received at or after `end` must not count, so a span
    that reaches beyond `end` counts as empty.
    """
    found: list[int] = []
    for start, count in counted:
        if wanted <= 0:
            break
        found.append(start)
        wanted -= count if start + span <= end else 0
    return found
