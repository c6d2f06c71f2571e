"""One program through all its lives: it is started, dies, is started again, is stopped for good."""

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

FIRST_PAUSE, LONGEST_PAUSE, SETTLED = 0.5, 10.0, 30.0


@dataclass(frozen=True)
class Program:
    name: str
    argv: tuple[str, ...]
    ready: Callable[[], bool]
    cwd: Path = Path("/")
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    user: str = ""
    layer: int = 0  # the higher layers need the lower ones, and stop before them
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL  # sent by the kernel when the supervisor is gone


def next_pause(pause: float, lived: float) -> float:
    """Doubles while a program keeps dying; one that has lived for a while starts afresh."""
    return FIRST_PAUSE if lived >= SETTLED or not pause else min(pause * 2, LONGEST_PAUSE)


def reason(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


class Child:
    def __init__(self, program: Program, launch: Callable[[Program], "subprocess.Popen[bytes]"]) -> None:
        self.program = program
        self.gone = threading.Event()
        self._launch = launch
        self._kept: Callable[[], None] | None = None
        self._halted = threading.Event()
        self._lock = threading.Lock()
        self._process = launch(program)
        threading.Thread(target=self._watch, name=f"watch {program.name}", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def code(self) -> int:
        return self._process.returncode

    def keep(self, restarted: Callable[[], None]) -> None:
        """From now on it is started again when it dies, and `restarted` is told."""
        self._kept = restarted

    def halt(self) -> None:
        with self._lock:
            self._halted.set()
            self._process.send_signal(self.program.stop_signal)

    def bury(self, grace: float) -> None:
        if not self.gone.wait(grace):
            kill_group(self.pid)
            self.gone.wait()

    def _watch(self) -> None:
        pause, born = 0.0, time.monotonic()
        while True:
            code = self._process.wait()
            kill_group(self.pid)  # what it started itself
            if self._kept is None or self._halted.is_set():
                break
            pause, born = next_pause(pause, time.monotonic() - born), time.monotonic()
            say(f"{self.program.name} died ({reason(code)}), started again in {pause:g} s")
            if not self._again(pause):
                break
            born = time.monotonic()
            self._kept()
        self.gone.set()

    def _again(self, pause: float) -> bool:
        self._halted.wait(pause)
        with self._lock:
            if not self._halted.is_set():
                self._process = self._launch(self.program)
        return not self._halted.is_set()
