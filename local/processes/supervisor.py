"""Starts the processes of one run, keeps them alive, and keeps none of them any longer than that.

Each child has a session of its own, so that Ctrl-C reaches the supervisor alone, which then stops them
in order; and a leash, so that they die even when the supervisor is killed before it can stop anything.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.messages import Trouble
from local.paths import private
from local.processes.process import Child, Program, reason

LEASH = Path(__file__).with_name("launcher.py")
# Marks every process of a run, their own children included: how a later start finds what was left behind.
MARK = "HOOKSTREAM_RUN"
GRACE = 10.0
PATIENCE = 90.0


def tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


class Supervisor:
    def __init__(self, run: Path) -> None:
        self._run = run
        self._log = private(run / "log")
        self._children: dict[str, Child] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        # The kernel takes the death of the *thread* that started a child for the starter's death:
        # so one thread that lives as long as we do starts them all.
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")

    def pids(self) -> dict[str, int]:
        with self._lock:
            return {name: child.pid for name, child in self._children.items()}

    def start(self, program: Program) -> Child:
        log = self._log_of(program)
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        with self._lock:
            if self._stopping.is_set():
                raise Trouble(f"{program.name} was not started: we are stopping.")
            child = self._children[program.name] = Child(program, self._launch)
        return child

    def wait(self, child: Child, patience: float = PATIENCE) -> None:
        """Until it is ready; it is an error to die or to dawdle on the way."""
        name, log = child.program.name, self._log_of(child.program)
        deadline = time.monotonic() + patience
        while not child.program.ready():
            if self._stopping.is_set():
                raise Trouble(f"{name} was not awaited: we are stopping.")
            if child.gone.wait(0.1):
                raise Trouble(
                    f"{name} ended ({reason(child.code)}) before it was ready. The end of {log}:\n{tail(log)}"
                )
            if time.monotonic() > deadline:
                raise Trouble(f"{name} is not ready after {patience:g} s. The end of {log}:\n{tail(log)}")

    def errand(self, program: Program) -> None:
        """Runs a program to its end, which must be a good one."""
        child = self.start(program)
        child.gone.wait()
        with self._lock:
            del self._children[program.name]
        if child.code:
            log = self._log_of(program)
            raise Trouble(f"{program.name} failed ({reason(child.code)}). The end of {log}:\n{tail(log)}")

    def keep(self, restarted: Callable[[], None]) -> None:
        for child in self._children.values():
            child.keep(restarted)

    def stop(self) -> None:
        self._stopping.set()
        with self._lock:
            children = list(self._children.values())
        for layer in sorted({child.program.layer for child in children}, reverse=True):
            self._stop([child for child in children if child.program.layer == layer])
        self._starter.shutdown()

    def _stop(self, children: list[Child]) -> None:
        for child in children:
            child.halt()
        deadline = time.monotonic() + GRACE
        for child in children:
            child.bury(max(0.0, deadline - time.monotonic()))

    def _log_of(self, program: Program) -> Path:
        return self._log / f"{program.name}.log"

    def _launch(self, program: Program) -> "subprocess.Popen[bytes]":
        return self._starter.submit(self._open, program).result()

    def _open(self, program: Program) -> "subprocess.Popen[bytes]":
        leash = [sys.executable, "-I", "-S", str(LEASH), str(int(program.death_signal)), str(os.getpid()), program.user]
        with self._log_of(program).open("ab") as log:
            return subprocess.Popen(
                [*leash, *program.argv],
                cwd=program.cwd,
                env={**program.env, MARK: str(self._run)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,  # what they write is their owner's alone
            )
