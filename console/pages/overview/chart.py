"""Bars of the accepted and refused webhooks by hour, as coordinates for an SVG. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 720, 150
BASE, TOP, LEFT = 126, 8, 44
"""The y of the axis and of the highest bar, and the x of the first bar."""
STEPS = (1, 2, 5)


class Bar(NamedTuple):
    """The bars of an hour: x and width of both, y and height of each, and their counts."""

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
    """The bars and the scale: `top` is the count at the upper line."""

    bars: list[Bar]
    top: int


def chart(hours: Sequence[int], accepted: Mapping[int, int], refused: Mapping[int, int]) -> Chart:
    """Return the bars of these hours; refused webhooks are stacked on accepted ones."""
    top = rounded_up(max((accepted.get(hour, 0) + refused.get(hour, 0) for hour in hours), default=0))
    pitch = (WIDTH - LEFT) / max(1, len(hours))
    scale = (BASE - TOP) / top
    bars = []
    for index, hour in enumerate(hours):
        low, high = accepted.get(hour, 0), refused.get(hour, 0)
        low_height, high_height = (round(count * scale, 1) for count in (low, high))
        x = round(LEFT + index * pitch + pitch * 0.12, 1)
        low_y = round(BASE - low_height, 1)
        bar = Bar(
            hour, x, round(pitch * 0.76, 1), low_y, low_height, round(low_y - high_height, 1), high_height, low, high
        )
        bars.append(bar)
    return Chart(bars, top)


def rounded_up(most: int) -> int:
    """Return the next of 1, 2, 5, 10, 20, 50 … that is not smaller."""
    size = 1
    while True:
        for step in STEPS:
            if step * size >= most:
                return step * size
        size *= 10
