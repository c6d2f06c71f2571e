"""The results of a benchmark: figures with their goals and the values of peers in the same run.

A benchmark module has `measure(quick: bool) -> list[Figure]`, which starts and stops the system, and ends with
`figures.main(measure)`. `python -m bench` runs each module in its own process, reads its figures as JSON from the file
in BENCH_FIGURES, and writes docs/benchmarks.md.
"""

import json
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

QUICK = "--quick"
FILE = "BENCH_FIGURES"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `goal` is a text such as `≤ 6`; `peers` are in the same unit and from the same run.

    `value` is the median of `rounds` where there are several. `note` adds details to the name.
    """

    name: str
    value: float
    unit: str
    goal: str = ""
    peers: Mapping[str, float] = field(default_factory=dict)
    rounds: Sequence[float] = ()
    note: str = ""


Measure = Callable[[bool], list[Figure]]


def main(measure: Measure) -> None:
    """Run one benchmark from the command line, print its figures, and write them as JSON to the file in BENCH_FIGURES.

    `--quick` runs fewer or shorter rounds. Without BENCH_FIGURES, no file is written.
    """
    found = measure(QUICK in sys.argv[1:])
    for figure in found:
        print(line(figure))
    if path := os.environ.get(FILE):
        Path(path).write_text(json.dumps([asdict(figure) for figure in found]))


def is_page_run() -> bool:
    """Return whether the command line has no argument but `--quick`; a benchmark then measures all for the page."""
    return set(sys.argv[1:]) <= {QUICK}


def line(figure: Figure) -> str:
    """Return a figure as one line of text: value, goal, range of rounds, and ratio to each peer."""
    parts = [f"{figure.name}: {shown(figure.value)} {figure.unit}"]
    if figure.goal:
        parts.append(f"goal {figure.goal}")
    if figure.rounds:
        parts.append(f"rounds {shown(min(figure.rounds))} to {shown(max(figure.rounds))}")
    known = {name: peer for name, peer in figure.peers.items() if peer and not math.isnan(peer)}
    parts += [f"{figure.value / peer:.2f} x {name} ({shown(peer)})" for name, peer in known.items()]
    return " | ".join(parts + [figure.note] * bool(figure.note))


def shown(value: float) -> str:
    """Return a number with three significant digits; from 100 on, without a fraction."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits
