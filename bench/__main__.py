"""Runs all benchmarks and writes their page: `python -m bench [--quick] [NAME...]`. `make bench` calls it.

A benchmark that fails is reported on the page and does not stop the others. With NAMEs, only those benchmarks run, and
their page is printed instead of written.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.rig import page
from bench.rig.figures import FILE, QUICK, Figure
from bench.rig.page import ROOT, Part

PAGE = ROOT / "docs/benchmarks.md"
PARTS = {
    "whole_way": "The whole way: post, row, mail",
    "gateway": "The gateway",
    "gateway_sizes": "The gateway, by size and log level",
    "mails": "Mails",
    "processor": "A processor",
    "replay": "A replay",
    "console": "The console: queries and ingest",
    "ingest": "The console beside the gateway's highest rate",
    "pages": "The console: pages",
    "idle": "At rest",
}

LONG_ONLY = {"gateway_sizes"}
"""Benchmarks that --quick leaves out."""


def main(arguments: list[str]) -> int:
    """Run the benchmarks and return the number that failed."""
    quick, names = QUICK in arguments, [name for name in arguments if name != QUICK]
    chosen = names or [name for name in PARTS if not (quick and name in LONG_ONLY)]
    parts = [_run(name, quick=quick) for name in chosen]
    now = datetime.now(UTC)  # noqa: TID251 - the page's own date
    text = page.page(parts, f"{now:%Y-%m-%d %H:%M} UTC", quick=quick)
    if names:
        print(text)
    else:
        PAGE.write_text(text)
        print(f"written to {PAGE.relative_to(ROOT)}")
    return sum(part.code != 0 for part in parts)


def _run(name: str, *, quick: bool) -> Part:
    print(f"== {PARTS[name]}", flush=True)
    argv = [sys.executable, "-m", f"bench.{name}", *([QUICK] if quick else [])]
    with tempfile.TemporaryDirectory() as folder:
        file, began, lines = Path(folder) / "figures.json", time.monotonic(), []
        env = os.environ | {FILE: str(file), "STACK": "local"}
        pipe = subprocess.PIPE
        with subprocess.Popen(argv, cwd=ROOT, env=env, stdout=pipe, stderr=subprocess.STDOUT, text=True) as process:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            for line in process.stdout:
                lines.append(line)
                print(line, end="", flush=True)
        found = [Figure(**row) for row in json.loads(file.read_text())] if file.exists() else []
    command = " ".join(["python", *argv[1:]])
    return Part(PARTS[name], command, found, "".join(lines), time.monotonic() - began, process.returncode)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
