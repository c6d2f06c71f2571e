"""Gateways to compare with: a bare Litestar handler, FastAPI + aiokafka, Go net/http + franz-go.

Each is a context manager that yields a Server. The last two need the topics of `fastapi_gateway.create_topics`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.peers import fastapi_gateway
from bench.rig import system
from bench.rig.system import ROOT

GO_SOURCE = Path(__file__).parent / "gateway_go"
GO_PATHS = ("/usr/local/go/bin/go", "/usr/lib/go/bin/go")
Server = tuple[int, int]
"""A running server: its port and its process id."""


@contextmanager
def bare() -> Iterator[Server]:
    """Run a Litestar `@post` handler on granian that answers at once."""
    port = system.free_port()
    with _listening((sys.executable, "-m", "bench.peers.bare", str(port)), port, ROOT, os.environ) as server:
        yield server


@contextmanager
def fastapi(env: Mapping[str, str]) -> Iterator[Server]:
    """Run FastAPI + aiokafka on uvicorn with uvloop and httptools."""
    port = system.free_port()
    argv = (str(fastapi_gateway.python()), *fastapi_gateway.gateway_arguments(port))
    with _listening(argv, port, fastapi_gateway.FOLDER, {**os.environ, **env}) as server:
        yield server


@contextmanager
def go(program: Path | None, env: Mapping[str, str]) -> Iterator[Server | None]:
    """Run Go net/http + franz-go; yield None when `program` is None."""
    if program is None:
        yield None
        return
    port = system.free_port()
    with _listening((str(program), str(port)), port, GO_SOURCE, {**os.environ, **env}) as server:
        yield server


def go_program() -> Path | None:
    """Return the Go gateway, built when its source is newer. Without Go, print that and return None.

    `GOTOOLCHAIN` is not changed: a Go older than go.mod requires fetches a newer one if that is allowed.
    """
    tool = shutil.which("go") or next((path for path in GO_PATHS if Path(path).exists()), None)
    if tool is None:
        print("Go is not installed on this machine: the Go gateway is left out")
        return None
    program = GO_SOURCE / ".build/gateway"
    if not program.exists() or any(program.stat().st_mtime < file.stat().st_mtime for file in GO_SOURCE.glob("*.*")):
        subprocess.run([tool, "build", "-o", program, "."], cwd=GO_SOURCE, check=True)
    return program


@contextmanager
def _listening(argv: Sequence[str], port: int, folder: Path, env: Mapping[str, str]) -> Iterator[Server]:
    with subprocess.Popen(argv, cwd=folder, env=env) as process:
        try:
            system.until_listening(port)
            yield port, process.pid
        finally:
            process.terminate()
