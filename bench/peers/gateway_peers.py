"""Gateways to compare with: a bare Litestar handler, FastAPI + aiokafka, Go net/http + franz-go.

Each is a context manager that yields (port, pid). The last two need the topics of `fastapi_peer.create_topics`.
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
GO_PLACES = ("/usr/local/go/bin/go", "/usr/lib/go/bin/go")
Server = tuple[int, int]


@contextmanager
def bare() -> Iterator[Server]:
    """A Litestar `@post` handler on granian that answers at once."""
    port = system.free_port()
    with _listening((sys.executable, "-m", "bench.peers.bare", str(port)), port, ROOT, os.environ) as server:
        yield server


@contextmanager
def fastapi(env: Mapping[str, str]) -> Iterator[Server]:
    """FastAPI + aiokafka on uvicorn with uvloop and httptools."""
    port = system.free_port()
    argv = (str(fastapi_gateway.python()), *fastapi_gateway.gateway_arguments(port))
    with _listening(argv, port, fastapi_gateway.FOLDER, {**os.environ, **env}) as server:
        yield server


@contextmanager
def go(program: Path | None, env: Mapping[str, str]) -> Iterator[Server | None]:
    """Go net/http; None without the program."""
    if program is None:
        yield None
        return
    port = system.free_port()
    with _listening((str(program), str(port)), port, GO_SOURCE, {**os.environ, **env}) as server:
        yield server


def go_program() -> Path | None:
    """The Go gateway, built when its source is newer; None, and a line that says so, where there is no Go.

    `GOTOOLCHAIN` is left as it is: a Go older than go.mod asks for fetches a newer one, if it may.
    """
    tool = shutil.which("go") or next((place for place in GO_PLACES if Path(place).exists()), None)
    if tool is None:
        print("Go is not on this machine: its gateway is left out")
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
