"""Builds docs/benchmarks.md from the results of the benchmarks. Its only I/O reads the machine's properties."""

import math
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from bench.rig.figures import Figure, shown

ROOT = Path(__file__).parents[2]
LIBRARIES = ("confluent-kafka", "litestar", "granian", "msgspec", "psycopg", "sqlalchemy", "fastavro")
HEAD = """\
# Benchmarks

Written by `make bench` in {minutes:.0f} minutes, {date}, commit {commit}{quick}.
`make bench` repeats it on any machine with what `make run` needs (`QUICK=1`: shorter rounds; `BEFORE=PATH`: another
checkout beside it; Go is used where it is).

{machine}

CPU is user and system time from /proc, children included; of Postgres all backends, of Kafka the whole broker. Load is
an open loop: a post does not wait for those before it, and its latency counts from the moment it was due. Rows are
timed by Postgres's commit timestamps, mails by a server that stores them before it answers
([bench/rig/sink.py](../bench/rig/sink.py)). "FastAPI + FastStream" is what most people would write
([bench/peers](../bench/peers)): FastAPI + aiokafka, FastStream with its defaults, one upsert and commit a message, a
mail by `aiosmtplib.send`; it keeps no inbox and no outbox, and loses or doubles in a crash.

On a shared machine read the ratios: all columns of a table were measured one after the other in the same run. `(0.5 x)`
beside a peer's value: hookstream's is half of it.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """The result of one benchmark: its figures, its output, its duration in seconds and its exit code."""

    title: str
    command: str
    figures: Sequence[Figure]
    output: str
    seconds: float
    code: int


def page(parts: Sequence[Part], date: str, *, quick: bool) -> str:
    """Return docs/benchmarks.md. `date` is shown as it is, `quick` is mentioned."""
    commit = _output("git", "rev-parse", "--short", "HEAD")
    if _output("git", "status", "--porcelain"):
        commit += " with changes"
    minutes = sum(part.seconds for part in parts) / 60
    head = HEAD.format(minutes=minutes, date=date, commit=commit, quick=", QUICK" if quick else "", machine=machine())
    return "\n".join([head, *map(_section, parts)])


def machine() -> str:
    """Return the machine, and the versions of Python, LIBRARIES and Java, as a Markdown list."""
    processor = next((line.partition(": ")[2] for line in _lines("/proc/cpuinfo") if "model name" in line), "unknown")
    memory = int(next(line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal"))) / 1e6
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in LIBRARIES)
    system = f"{platform.system()} {platform.release()}; load average when the page was written {load}"
    return "\n".join(
        [
            f"- {os.cpu_count()} cores ({processor}), {memory:.0f} GB, {system}",
            f"- Python {platform.python_version()}, {versions}",
            f"- {_output('java', '--version').partition(chr(10))[0]}; Kafka and Postgres of `make run`",
        ]
    )


def _section(part: Part) -> str:
    names = list(dict.fromkeys(name for figure in part.figures for name in figure.peers))
    lines = [f"## {part.title}", "", f"`{part.command}`, {part.seconds:.0f} s", ""]
    if part.code:
        lines += [f"**It failed with exit code {part.code}**; its output is below.", ""]
    if part.figures:
        lines += ["| " + " | ".join(["", "hookstream", "goal", *names]) + " |", "|---" * (3 + len(names)) + "|"]
        lines += [_row(figure, names) for figure in part.figures]
        lines += [""]
    output = part.output.strip().replace(str(ROOT), ".")  # the page is committed and must not contain local paths
    raw = ["<details><summary>Raw output</summary>", "", "```", output, "```", "", "</details>", ""]
    return "\n".join([*lines, *raw])


def _row(figure: Figure, names: Sequence[str]) -> str:
    spread = f" ({shown(min(figure.rounds))} to {shown(max(figure.rounds))})" if figure.rounds else ""
    note = f"<br>{figure.note}" if figure.note else ""
    own = f"**{_value(figure.value)}** {figure.unit}{spread}{note}"
    return "| " + " | ".join([figure.name, own, figure.goal, *(_peer(figure, name) for name in names)]) + " |"


def _peer(figure: Figure, name: str) -> str:
    if name not in figure.peers or math.isnan(figure.peers[name]):
        return ""
    peer = figure.peers[name]
    return f"{_value(peer)}" + (f" ({figure.value / peer:.2f} x)" if peer else "")


def _value(value: float) -> str:
    return "none" if math.isnan(value) else shown(value)


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def _output(*argv: str) -> str:
    try:
        return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
