"""The result of every benchmark: figures, each beside its goal and the peers of the same run.

A benchmark module has `measure(quick: bool) -> list[Figure]`, starts and stops what it needs, and ends with
`figures.main(measure)`. `python -m bench` runs them all and writes docs/benchmarks.md: each in a process of its own,
which leaves its figures as JSON in the file that BENCH_FIGURES names.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

QUICK = "--quick"
FILE = "BENCH_FIGURES"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `goal` is text such as `≤ 6`; `peers` are in the same unit and from the same run.

    `rounds` are the values that `value` is the median of, where there were several. `note` says what was measured,
    when the name does not.
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
    """Run one benchmark from the command line; `--quick` takes fewer or shorter rounds."""
    found = measure(QUICK in sys.argv[1:])
    for figure in found:
        print(line(figure))
    if path := os.environ.get(FILE):
        Path(path).write_text(json.dumps([asdict(figure) for figure in found]))


def is_page_run() -> bool:
    """Return whether `--quick` is the only argument."""
    return set(sys.argv[1:]) <= {QUICK}


def line(figure: Figure) -> str:
    """A figure as one line of text: value, goal, spread, and its ratio to each peer."""
    parts = [f"{figure.name}: {shown(figure.value)} {figure.unit}"]
    if figure.goal:
        parts.append(f"goal {figure.goal}")
    if figure.rounds:
        parts.append(f"rounds {shown(min(figure.rounds))} to {shown(max(figure.rounds))}")
    parts += [f"{figure.value / peer:.2f} x {name} ({shown(peer)})" for name, peer in figure.peers.items() if peer]
    return " | ".join(parts + [figure.note] * bool(figure.note))


def shown(value: float) -> str:
    """Three significant digits, or all those of a larger number."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits
