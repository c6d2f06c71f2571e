"""Bars of the accepted and refused webhooks by hour, as coordinates for an SVG. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 720, 150
BASE, TOP = 124, 14
"""The y of the axis, and of the highest bar."""
GLYPH, GAP = 13, 14
"""The most width of a glyph of the labels, at their size on a narrow screen (app.css: 22), and the gap beside them."""
STEPS = (1, 2, 5)
"""The first digits of the counts at the upper line."""


class Bar(NamedTuple):
    """The two bars of the hour that begins at `start`: x and width of both, y of the upper edge and height of each."""

    start: int
    x: float
    width: float
    accepted_y: float
    accepted_height: float
    refused_y: float
    refused_height: float
    accepted: int
    refused: int


class Chart(NamedTuple):
    """The bars, the count that a bar up to TOP stands for, and the x at which the bars begin, right of its label."""

    bars: list[Bar]
    top: int
    left: int


def chart(hours: Sequence[int], accepted: Mapping[int, int], refused: Mapping[int, int]) -> Chart:
    """Return the bars of these hours, with those of refused webhooks on top of accepted ones.

    `accepted` and `refused` are numbers by the start of an hour; a missing hour counts 0.
    """
    top = rounded_up(max((accepted.get(hour, 0) + refused.get(hour, 0) for hour in hours), default=0))
    left = GLYPH * len(f"{top:,}") + GAP
    pitch = (WIDTH - left) / max(1, len(hours))
    scale = (BASE - TOP) / top
    bars = []
    for index, hour in enumerate(hours):
        low, high = accepted.get(hour, 0), refused.get(hour, 0)
        low_height, high_height = (round(count * scale, 1) for count in (low, high))
        x = round(left + index * pitch + pitch * 0.12, 1)
        low_y = round(BASE - low_height, 1)
        bar = Bar(
            hour, x, round(pitch * 0.76, 1), low_y, low_height, round(low_y - high_height, 1), high_height, low, high
        )
        bars.append(bar)
    return Chart(bars, top, left)


def rounded_up(most: int) -> int:
    """Return the least of 1, 2, 5, 10, 20, 50 … that is not smaller than `most`."""
    size = 1
    while True:
        for step in STEPS:
            if step * size >= most:
                return step * size
        size *= 10
