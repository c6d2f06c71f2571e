"""Runs a whole system, or Kafka and Postgres alone, of this checkout or another, with a sink for its mails."""

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
SIMULATED = ("apis", "inbox", "registry")
"""Processes of the local stack that simulate the environment. Their CPU is not counted."""


@dataclass(frozen=True, slots=True)
class Sink:
    """A running mail server of bench/rig/sink.py, and the folder in which it stores mails."""

    folder: Path
    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class System:
    """A running system: the folder of its run, with `env` and logs, and the sink of its mails."""

    data: Path
    sink: Sink

    @property
    def env(self) -> dict[str, str]:
        """The variables of the run, read anew at each use because process ids change when a service restarts."""
        return dict(line.split("=", 1) for line in (self.data / "env").read_text().splitlines())

    @property
    def pids(self) -> dict[str, int]:
        """The ids of the system's processes by name, Kafka and Postgres included, without those in SIMULATED."""
        named = {name.removesuffix("_PID").lower(): value for name, value in self.env.items() if name.endswith("_PID")}
        return {name: int(pid) for name, pid in named.items() if name not in SIMULATED}


@contextmanager
def system(at: Path = ROOT, *, services: bool = True) -> Iterator[System]:
    """Run the system of the checkout at `at` during the block, in a temporary folder; Postgres keeps commit times.

    Without `services`, only the infrastructure runs. Raises as `started`.
    """
    with folder() as own, started(at, own, "all" if services else "base") as found:
        yield found


@contextmanager
def folder() -> Iterator[Path]:
    """Yield a new folder for a system's data; delete it afterwards, with Postgres's data if these are elsewhere."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        try:
            yield Path(name)
        finally:
            postgres_home.remove(Path(name) / "run/postgres")


@contextmanager
def started(at: Path, own: Path, what: str) -> Iterator[System]:
    """Run the system of the checkout at `at` during the block, on the data in the folder `own`.

    `what` is `all`, `base` or `plain`, as in bench/rig/stand.py.

    Raises RuntimeError when the system ends before it is ready.
    """
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
def paused(of: System, *running: str) -> Iterator[None]:
    """Suspend all services except `running` with SIGSTOP during the block, so that they use no CPU."""
    pids = [pid for name, pid in of.pids.items() if name not in (*running, "kafka", "postgres")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def sink(own: Path) -> Iterator[Sink]:
    """Run a mail server that stores in the folder `own` during the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.rig.sink", str(own)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            yield Sink(own, f"smtp://127.0.0.1:{int(process.stdout.readline())}", process.pid)
        finally:
            process.terminate()


def free_port() -> int:
    """Return an unused port of the loopback address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def until_listening(port: int, timeout_s: float = 60.0) -> None:
    """Wait until a process listens on a port.

    Raises TimeoutError after `timeout_s`.
    """
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"no process listens on port {port} after {timeout_s:.0f} s")


def _until_ready(stand: "subprocess.Popen[str]") -> None:
    assert stand.stdout is not None  # noqa: S101 - it is a pipe
    for line in stand.stdout:
        if line.strip() == "ready":
            return
        print(line, end="", file=sys.stderr)
    raise RuntimeError(f"the system ended with exit code {stand.wait()} before it was ready")
