"""Start time, idle CPU and memory of the system: `python -m bench.idle [--quick]`.

BEFORE=PATH measures another checkout too.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from bench import cost
from bench.rig import figures, system
from bench.rig.figures import Figure
from bench.rig.load import resident_mb

SETTLE_S = 10.0
IDLE_S, QUICK_IDLE_S = 30.0, 10.0
INFRASTRUCTURE = ("kafka", "postgres")


@dataclass(frozen=True, slots=True)
class IdleCost:
    """The cost of an idle system: seconds to start, CPU in per cent of a core by process, memory in MB by service."""

    start_s: float
    cpu: dict[str, float]
    memory: dict[str, float]


def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the interface of all benchmarks
    """Measure a start on existing data, or when `quick` one that creates the data, and then the idle system."""
    own = _measure_idle(system.ROOT, quick=quick)
    before = _measure_idle(Path(os.environ["BEFORE"]), quick=quick) if os.environ.get("BEFORE") else None
    by_process = ", ".join(f"{name} {share:.1f}" for name, share in sorted(own.cpu.items(), key=lambda row: -row[1]))
    return [
        Figure(
            "cold start" if quick else "warm start",
            own.start_s,
            "s",
            "" if quick else "≤ 12",
            {"before": before.start_s} if before else {},
        ),
        Figure(
            "idle CPU of the whole system",
            sum(own.cpu.values()),
            "% of a core",
            "< 5",
            {"before": sum(before.cpu.values())} if before else {},
            note=by_process,
        ),
        *(
            Figure(f"memory of {name}, idle", size, "MB", "≤ 100", {"before": before.memory[name]} if before else {})
            for name, size in own.memory.items()
        ),
    ]


def _measure_idle(at: Path, *, quick: bool) -> IdleCost:
    seconds = QUICK_IDLE_S if quick else IDLE_S
    with system.folder() as own:
        if not quick:
            with system.started(at, own, "plain"):
                pass
        began = time.monotonic()
        with system.started(at, own, "plain") as found:
            start_s = time.monotonic() - began
            time.sleep(SETTLE_S)
            pids = found.pids
            before = cost.trees(pids)
            time.sleep(seconds)
            after = cost.trees(pids)
            cpu = {name: (after[name] - before[name]) / seconds * 100 for name in pids}
            memory = {name: resident_mb(pid) for name, pid in pids.items() if name not in INFRASTRUCTURE}
            return IdleCost(start_s, cpu, memory)


if __name__ == "__main__":
    figures.main(measure)
