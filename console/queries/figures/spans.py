"""Splits a time range into whole days, whole hours and the rest. Pure.

Webhooks are counted by hour and by day. So a range is counted as days, hours at its edges, and rows for the rest. Times
are microseconds since 1970 UTC.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from console.queries.criteria import Range

HOUR, DAY = 3_600_000_000, 86_400_000_000
EARLIEST, LATEST = -100_000_000 * DAY, 100_000_000 * DAY
"""Multiples of DAY beyond every time that a record carries."""


class Piece(NamedTuple):
    """The range from `start` until before `end`: whole spans of `span` microseconds, or any range if `span` is 0."""

    span: int
    start: int
    end: int


def bounds(received: Range) -> tuple[int, int]:
    """Return start and end (exclusive) of a range, with EARLIEST and LATEST for None."""
    return (
        EARLIEST if received.start is None else received.start,
        LATEST if received.end is None else received.end,
    )


def pieces(start: int, end: int, spans: Sequence[int] = (DAY, HOUR)) -> list[Piece]:
    """Split the range from `start` until before `end` into consecutive pieces, with the longest spans in the middle.

    `spans` are lengths, the longest first; what is left at the edges has the span 0. An empty range has no pieces.
    """
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
    """Return the starts of the newest spans that together contain `wanted` webhooks, of all spans if there are fewer.

    `counted` are pairs of a span's start and its number of webhooks, newest first; `span` is the length. Webhooks
    received at or after `end` must not count, so a span that reaches beyond `end` is returned but counts as empty.
    """
    found: list[int] = []
    for start, count in counted:
        if wanted <= 0:
            break
        found.append(start)
        wanted -= count if start + span <= end else 0
    return found
