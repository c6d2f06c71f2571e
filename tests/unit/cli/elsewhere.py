"""Runs `hookstream` as beside no local system: the folder of its checkout is an empty one."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

START = """
import sys
from pathlib import Path
from cli import environment
environment.ROOT = Path(sys.argv.pop(1))
from cli.__main__ import main
main()
"""
OURS = ("KAFKA_", "TOPIC_", "SCHEMA_REGISTRY_")


def hookstream(empty: Path, *words: str, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run the command `words` with `env` and no other setting of a system, and return its exit code and output."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith(OURS) and "_URL" not in name}
    argv = [sys.executable, "-c", START, str(empty), *words]
    return subprocess.run(argv, env={**outside, **env}, capture_output=True, text=True, check=False)
