"""Shows the progress of a replay: one bar per partition, with its rate and the remaining time."""

import sys
import time
from collections.abc import Mapping

from stream.kafka.position import Partition
from stream.replay.fill.filler import Filler
from stream.replay.offsets import OffsetRange

WIDTH = 24
INTERVAL_S = (0.2, 10.0)
"""The seconds between two updates: on a terminal, and elsewhere, as in a file."""


def fill_with_progress(filler: Filler) -> None:
    """Call `filler.fill`, and show its progress on standard error until it returns."""
    progress = Progress(filler.unread())
    filler.on_progress = progress.update
    filler.fill()
    progress.draw()


class Progress:
    """Draws one bar per partition and the total on standard error, in place on a terminal; elsewhere the total only."""

    def __init__(self, ranges: Mapping[Partition, OffsetRange]) -> None:
        self._ranges = {partition: range_ for partition, range_ in sorted(ranges.items()) if range_.first < range_.end}
        self._at = {partition: range_.first for partition, range_ in self._ranges.items()}
        self._began = self._drawn_at = time.monotonic()
        self._drawn = 0
        self._interval_s = INTERVAL_S[not sys.stderr.isatty()]

    def update(self, ends: Mapping[Partition, int]) -> None:
        """Set the next offsets of these partitions; draw if the last drawing is as old as the interval."""
        self._at |= {partition: end for partition, end in ends.items() if partition in self._ranges}
        if time.monotonic() - self._drawn_at >= self._interval_s:
            self.draw()

    def draw(self) -> None:
        """Draw the current progress."""
        self._drawn_at = time.monotonic()
        seconds = self._drawn_at - self._began
        drawn = lines(self._ranges, self._at, seconds)
        if sys.stderr.isatty():
            sys.stderr.write(f"\x1b[{self._drawn}A" * bool(self._drawn) + "".join(f"\x1b[2K{line}\n" for line in drawn))
            self._drawn = len(drawn)
        else:
            sys.stderr.write(f"{drawn[-1]}\n")
        sys.stderr.flush()


def lines(ranges: Mapping[Partition, OffsetRange], at: Mapping[Partition, int], seconds: float) -> list[str]:
    """Return one line per partition and one for the total, for the next offsets `at`, `seconds` after the start."""
    shown = [
        _line(f"{topic}/{number}", at[topic, number] - range_.first, range_.end - range_.first, seconds)
        for (topic, number), range_ in ranges.items()
    ]
    done = sum(at[partition] - range_.first for partition, range_ in ranges.items())
    return [*shown, _line("all", done, sum(range_.end - range_.first for range_ in ranges.values()), seconds)]


def _line(name: str, done: int, of: int, seconds: float) -> str:
    share = done / of if of else 1.0
    bar = "#" * int(share * WIDTH)
    rate = done / seconds if seconds else 0.0
    left = _clock((of - done) / rate) if rate else "--:--"
    return f"{name:28} [{bar:-<{WIDTH}}] {share:4.0%} {done:>10,} of {of:,}  {rate:8,.0f}/s  {left} left"


def _clock(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{second:02}" if hours else f"{minutes:02}:{second:02}"
