"""CPU and memory of processes, from /proc."""

import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
MB = 1e6


@dataclass(frozen=True, slots=True)
class Process:
    """A process: its parent's id, its CPU seconds, and the CPU seconds of its children that have ended."""

    parent: int
    own: float
    ended: float


def trees(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the CPU seconds of each of these processes by name, including children that run or have ended.

    A process that is gone has 0.
    """
    table = _table()
    children = defaultdict(list)
    for pid, process in table.items():
        children[process.parent].append(pid)
    return {name: _tree(pid, table, children) for name, pid in pids.items()}


def machine() -> float:
    """Return the CPU seconds that all processes and the kernel have used since the machine started."""
    user, nice, system, _, _, irq, softirq, *_ = map(int, Path("/proc/stat").read_text().split()[1:10])
    return (user + nice + system + irq + softirq) / TICKS


def proportional_mb(pid: int) -> float:
    """Return the proportional set size of a process in MB (10^6 bytes): shared pages are divided among their users."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / MB
    return 0.0


def _tree(pid: int, table: Mapping[int, Process], children: Mapping[int, list[int]]) -> float:
    if pid not in table:
        return 0.0
    return table[pid].own + table[pid].ended + sum(_tree(child, table, children) for child in children.get(pid, ()))


def _table() -> dict[int, Process]:
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # the process has ended meanwhile
                continue
            user, system, user_ended, system_ended = map(int, fields[11:15])
            process = Process(int(fields[1]), (user + system) / TICKS, (user_ended + system_ended) / TICKS)
            found[int(folder.name)] = process
    return found
