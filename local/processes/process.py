"""One supervised program: started, restarted when it dies, and stopped."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from local.messages import say
from runtime.timing.backoff import Backoff

RESTART = Backoff(0.5, 10.0)
STABLE_S = 30.0
"""After a life of this many seconds, the next restart waits as the first one does."""


@dataclass(frozen=True)
class Program:
    """A command to run. `ready` returns whether the program can be used; `user` is empty for the current user."""

    name: str
    argv: tuple[str, ...]
    ready: Callable[[], bool]
    cwd: Path = Path("/")
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    user: str = ""
    layer: int = 0  # higher layers depend on lower ones and stop before them
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL  # sent by the kernel when the supervisor dies


def exit_reason(code: int) -> str:
    """Return the text for a return code of `subprocess`, where -N is signal N."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def kill_group(pid: int) -> None:
    """Send SIGKILL to a process group; do nothing if it is gone."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


class Child:
    """A running program. `ended` is set when it has ended and will not be restarted."""

    def __init__(self, program: Program, launch: Callable[[Program], "subprocess.Popen[bytes]"]) -> None:
        self.program = program
        self.ended = threading.Event()
        self._launch = launch
        self._on_restart: Callable[[], None] | None = None
        self._halted = threading.Event()
        self._lock = threading.Lock()
        self._process = launch(program)
        threading.Thread(target=self._watch, name=f"watch {program.name}", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def code(self) -> int:
        """The return code, as `subprocess` has it, once `ended` is set."""
        return self._process.returncode

    def restart_on_death(self, restarted: Callable[[], None]) -> None:
        """From now on, restart the program when it dies, and call `restarted` after each restart."""
        self._on_restart = restarted

    def halt(self) -> None:
        """Send the stop signal and prevent restarts; do not wait for the end."""
        with self._lock:
            self._halted.set()
            self._process.send_signal(self.program.stop_signal)

    def wait_or_kill(self, grace: float) -> None:
        """Wait up to `grace` seconds for the end, then kill the process group."""
        if not self.ended.wait(grace):
            kill_group(self.pid)
            self.ended.wait()

    def _watch(self) -> None:
        deaths, born = 0, time.monotonic()
        while True:
            code = self._process.wait()
            kill_group(self.pid)  # its own children
            if self._on_restart is None or self._halted.is_set():
                break
            deaths = 1 if time.monotonic() - born >= STABLE_S else deaths + 1
            pause = RESTART.wait_s(deaths)
            say(f"{self.program.name} died ({exit_reason(code)}), restarting in {pause:g} s")
            if not self._restart(pause):
                break
            born = time.monotonic()
            self._on_restart()
        self.ended.set()

    def _restart(self, pause: float) -> bool:
        self._halted.wait(pause)
        with self._lock:
            if not self._halted.is_set():
                self._process = self._launch(self.program)
        return not self._halted.is_set()
