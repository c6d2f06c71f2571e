"""How far a replay is: a bar a partition, with its rate and the time it has left."""

import sys
import time
from collections.abc import Mapping

from stream.kafka.position import Partition
from stream.replay.fill.filler import Filler
from stream.replay.offsets import OffsetRange

WIDTH = 24
EVERY_S = (0.2, 10.0)
"""So often it is drawn on a terminal, and told to a file."""


def watched(filling: Filler) -> None:
    """Fill a store, and show how far it is."""
    progress = Progress(filling.unread())
    filling.moved = progress.moved
    filling.fill()
    progress.draw()


class Progress:
    """Draws on standard error: over itself on a terminal, else a line from time to time."""

    def __init__(self, spans: Mapping[Partition, OffsetRange]) -> None:
        self._spans = {where: span for where, span in sorted(spans.items()) if span.first < span.end}
        self._at = {where: span.first for where, span in self._spans.items()}
        self._began = self._drawn_at = time.monotonic()
        self._drawn = 0
        self._every_s = EVERY_S[not sys.stderr.isatty()]

    def moved(self, ends: Mapping[Partition, int]) -> None:
        """These partitions were read up to here."""
        self._at |= {where: end for where, end in ends.items() if where in self._spans}
        if time.monotonic() - self._drawn_at >= self._every_s:
            self.draw()

    def draw(self) -> None:
        """Show how far it is now."""
        self._drawn_at = time.monotonic()
        seconds = self._drawn_at - self._began
        drawn = lines(self._spans, self._at, seconds)
        if sys.stderr.isatty():
            sys.stderr.write(f"\x1b[{self._drawn}A" * bool(self._drawn) + "".join(f"\x1b[2K{line}\n" for line in drawn))
            self._drawn = len(drawn)
        else:
            sys.stderr.write(f"{drawn[-1]}\n")
        sys.stderr.flush()


def lines(spans: Mapping[Partition, OffsetRange], at: Mapping[Partition, int], seconds: float) -> list[str]:
    """A line for each partition, and one for all of them."""
    shown = [
        _line(f"{topic}/{number}", at[topic, number] - span.first, span.end - span.first, seconds)
        for (topic, number), span in spans.items()
    ]
    done = sum(at[where] - span.first for where, span in spans.items())
    return [*shown, _line("all", done, sum(span.end - span.first for span in spans.values()), seconds)]


def _line(name: str, done: int, of: int, seconds: float) -> str:
    share = done / of if of else 1.0
    bar = "#" * int(share * WIDTH)
    rate = done / seconds if seconds else 0.0
    left = _clock((of - done) / rate) if rate else "--:--"
    return f"{name:28} [{bar:-<{WIDTH}}] {share:4.0%} {done:>10,} of {of:,}  {rate:8,.0f}/s  {left} left"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"
