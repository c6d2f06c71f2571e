"""Starts the processes of one run, restarts those that die, and stops them all at its end.

Each child has a session of its own, so that Ctrl-C reaches only the supervisor, which then stops the children in
order. The launcher lets them die even when the supervisor is killed.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.messages import CommandError
from local.paths import private
from local.processes.process import Child, Program, exit_reason

LAUNCHER = Path(__file__).with_name("launcher.py")
# The environment variable that all processes of a run inherit. A later start finds orphans by it.
MARK = "HOOKSTREAM_RUN"
GRACE_S = 10.0
READY_TIMEOUT_S = 90.0


def tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log file."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


class Supervisor:
    """The child processes of one run, by name. Their output goes to files in `run/log`."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._log = private(run / "log")
        self._children: dict[str, Child] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        # PR_SET_PDEATHSIG fires at the death of the *thread* that started a child, not of its process.
        # So one thread that lives as long as this process starts all children.
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")

    def pids(self) -> dict[str, int]:
        with self._lock:
            return {name: child.pid for name, child in self._children.items()}

    def start(self, program: Program) -> Child:
        """Start a program, keeping its previous log as `.log.1`; do not wait until the program is ready.

        Raises CommandError after `stop` was called.
        """
        log = self._log_of(program)
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        with self._lock:
            if self._stopping.is_set():
                raise CommandError(f"{program.name} was not started: the system is stopping.")
            child = self._children[program.name] = Child(program, self._launch)
        return child

    def wait(self, child: Child, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until a child is ready.

        Raises CommandError, with the end of its log, when the child dies or is not ready after `timeout_s`; and when
        `stop` is called meanwhile.
        """
        name, log = child.program.name, self._log_of(child.program)
        deadline = time.monotonic() + timeout_s
        while not child.program.ready():
            if self._stopping.is_set():
                raise CommandError(f"{name} was not ready yet: the system is stopping.")
            if child.ended.wait(0.1):
                raise CommandError(
                    f"{name} ended ({exit_reason(child.code)}) before it was ready. The end of {log}:\n{tail(log)}"
                )
            if time.monotonic() > deadline:
                raise CommandError(f"{name} is not ready after {timeout_s:g} s. The end of {log}:\n{tail(log)}")

    def run_to_end(self, program: Program) -> None:
        """Run a program to its end.

        Raises CommandError, with the end of its log, when its exit code is not 0; and after `stop` was called.
        """
        child = self.start(program)
        child.ended.wait()
        with self._lock:
            del self._children[program.name]
        if child.code:
            log = self._log_of(program)
            raise CommandError(f"{program.name} failed ({exit_reason(child.code)}). The end of {log}:\n{tail(log)}")

    def restart_on_death(self, restarted: Callable[[], None]) -> None:
        """From now on, restart the children started so far when they die; call `restarted` after each restart."""
        for child in self._children.values():
            child.restart_on_death(restarted)

    def stop(self) -> None:
        """Stop all children, the highest layer first, and wait; kill those that take longer than GRACE_S."""
        self._stopping.set()
        with self._lock:
            children = list(self._children.values())
        for layer in sorted({child.program.layer for child in children}, reverse=True):
            self._stop([child for child in children if child.program.layer == layer])
        self._starter.shutdown()

    def _stop(self, children: list[Child]) -> None:
        for child in children:
            child.halt()
        deadline = time.monotonic() + GRACE_S
        for child in children:
            child.wait_or_kill(max(0.0, deadline - time.monotonic()))

    def _log_of(self, program: Program) -> Path:
        return self._log / f"{program.name}.log"

    def _launch(self, program: Program) -> "subprocess.Popen[bytes]":
        return self._starter.submit(self._open, program).result()

    def _open(self, program: Program) -> "subprocess.Popen[bytes]":
        launcher = [
            sys.executable,
            "-I",
            "-S",
            str(LAUNCHER),
            str(int(program.death_signal)),
            str(os.getpid()),
            program.user,
        ]
        with self._log_of(program).open("ab") as log:
            return subprocess.Popen(
                [*launcher, *program.argv],
                cwd=program.cwd,
                env={**program.env, MARK: str(self._run)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,  # files of the children are readable by their owner only
            )
