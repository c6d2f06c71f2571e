"""A whole system, or Kafka and Postgres alone, of this checkout or another, and a sink for its mails."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.parts import postgres_home

ROOT = Path(__file__).parents[2]
STAND = Path(__file__).with_name("stand.py")
OUTSIDE = ("apis", "inbox", "registry")
"""Processes of the local stack that play the world around the system: their CPU is not the system's."""


@dataclass(frozen=True, slots=True)
class Sink:
    folder: Path
    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class System:
    data: Path
    sink: Sink

    @property
    def env(self) -> dict[str, str]:
        """Read anew each time: process ids change when a service is started again."""
        return dict(line.split("=", 1) for line in (self.data / "env").read_text().splitlines())

    @property
    def pids(self) -> dict[str, int]:
        """The processes that are the system's own, by the name of their service."""
        named = {name.removesuffix("_PID").lower(): value for name, value in self.env.items() if name.endswith("_PID")}
        return {name: int(pid) for name, pid in named.items() if name not in OUTSIDE}


@contextmanager
def system(at: Path = ROOT, *, services: bool = True) -> Iterator[System]:
    """Start the checkout at `at` in a folder of its own, which is gone afterwards."""
    with folder() as own, started(at, own, "all" if services else "base") as found:
        yield found


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for a system's data, which is gone afterwards with what Postgres keeps elsewhere."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        try:
            yield Path(name)
        finally:
            postgres_home.remove(Path(name) / "run/postgres")


@contextmanager
def started(at: Path, own: Path, what: str) -> Iterator[System]:
    """Start what bench/rig/stand.py calls `what`, on the data in `own`."""
    with sink(own) as mails:
        python = at / ".venv/bin/python"
        argv = [str(python if python.exists() else sys.executable), str(STAND), str(at), str(own / "run"), what]
        env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        pipe = subprocess.PIPE
        with subprocess.Popen([*argv, mails.url], cwd=at, env=env, stdin=pipe, stdout=pipe, text=True) as stand:
            try:
                _until_ready(stand)
                yield System(own / "run", mails)
            finally:
                stand.communicate()


@contextmanager
def paused(of: System, *kept: str) -> Iterator[None]:
    """Stop all services but those `kept`, so that they do not work beside what is measured."""
    pids = [pid for name, pid in of.pids.items() if name not in (*kept, "kafka", "postgres")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def sink(own: Path) -> Iterator[Sink]:
    """Run bench/rig/sink.py."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.rig.sink", str(own)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            yield Sink(own, f"smtp://127.0.0.1:{int(process.stdout.readline())}", process.pid)
        finally:
            process.terminate()


def free_port() -> int:
    """Return a port of the loopback address that nobody uses now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def until_listening(port: int, patience_s: float = 60.0) -> None:
    """Wait until somebody listens.

    Raises TimeoutError when nobody does in time.
    """
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"nobody listens on port {port} after {patience_s:.0f} s")


def _until_ready(stand: "subprocess.Popen[str]") -> None:
    assert stand.stdout is not None  # noqa: S101 - it is a pipe
    for line in stand.stdout:
        if line.strip() == "ready":
            return
        print(line, end="", file=sys.stderr)
    raise RuntimeError(f"the system ended with exit code {stand.wait()} before it was ready")
