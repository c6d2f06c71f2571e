"""The system under a chaos test: with small disks, clocks that can be shifted, and a mail server that can fail."""

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from local import stack
from local.paths import Paths
from local.run_state import ports
from local.services import SERVICES, answers
from simulator.world.mailserver import Mood
from tests import processes
from tests.actors import Shop, until

ROOT = Path(__file__).parents[2]
CLOCKS = Path(__file__).parent / "clock"
HOST = "127.0.0.1"
DISK_MB = 2048
QUICK = {"RETRY_FIRST_S": "0.2", "MAIL_TIMEOUT_S": "2", "ALERT_INTERVAL": "1"}


@dataclass
class MailServer:
    """The simulator's mail server, in a process that can be killed and started again; its mails stay in `mails`."""

    mails: Path
    smtp_port: int
    port: int
    process: "subprocess.Popen[bytes]" = field(init=False)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        env = {**os.environ, "SMTP_PORT": str(self.smtp_port), "PORT": str(self.port)}
        argv = [sys.executable, "-m", "simulator.world.mailserver", str(self.mails)]
        self.process = subprocess.Popen(argv, cwd=ROOT, env=env, start_new_session=True)
        until(lambda: answers(f"{self.url}/api/v1/info"), bool)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def set_mood(self, mood: Mood) -> None:
        """Set the fault for the mails from now on."""
        body = msgspec.json.encode(mood)
        assert Shop(self.url, "").request("POST", "/simulator/mood", body, {}).status == 204


@dataclass(frozen=True)
class World:
    """A running system to inject faults into.

    `disks` are the small file systems that could be mounted, by whose data they hold: `kafka`, `postgres`.
    """

    env: Mapping[str, str]
    folder: Path
    mails: MailServer
    disks: Mapping[str, Path]

    def pid(self, process: str) -> int:
        return processes.pid(dict(self.env), process)

    def kill(self, process: str, by: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a process, and wait until another process has replaced it."""
        processes.kill(dict(self.env), process, by)

    def password(self, role: str) -> str:
        """Return the password of a role of the system's Postgres."""
        return str(json.loads((self.folder / "secrets.json").read_text())[role])

    def count_in_logs(self, words: str) -> int:
        """Return the number of lines in the system's logs that contain `words`."""
        logs = (self.folder / "log").glob("*")
        return sum(words in line for log in logs for line in log.read_text(errors="replace").splitlines())

    def keep_logs(self, folder: Path) -> None:
        """Copy the logs of the system's processes to `folder`."""
        shutil.copytree(self.folder / "log", folder, dirs_exist_ok=True)

    def set_clock(self, module: str, seconds: float) -> None:
        """Let the clock of a service differ from the real one by `seconds`, which may be negative; 0 corrects it."""
        with (self.folder / "clocks" / module).open("r+b") as file:
            file.write(struct.pack("d", seconds))


@contextmanager
def world() -> Iterator[World]:
    """Run a system during the block; delete it afterwards, with its disks.

    The environment of this process has QUICK and the variables of the clocks meanwhile.
    """
    # Not below a folder that only we may enter: Postgres, which may be another user, is to live on our small disk.
    folder = Path(tempfile.mkdtemp(prefix="hookstream-chaos-", dir="/var/tmp"))
    folder.chmod(0o755)
    os.environ.update(QUICK, CLOCK_STEPS=str(folder / "clocks"), PYTHONPATH=str(CLOCKS))
    mails = _mail_server(folder)
    disks = {name: folder / name for name in ("kafka", "postgres") if _mount(folder / name)}
    _wind_clocks(folder / "clocks")
    given = {"SMTP_URL": f"smtp://{HOST}:{mails.smtp_port}", "INBOX_URL": mails.url}
    mails.start()
    try:
        with stack.everything(ROOT, folder, given=given) as env:
            yield World(env | {"RUN_FOLDER": str(folder)}, folder, mails, disks)
    finally:
        mails.kill()
        for name in (*QUICK, "CLOCK_STEPS", "PYTHONPATH"):
            os.environ.pop(name, None)
        for disk in disks.values():
            subprocess.run(["umount", "--lazy", disk], check=False)  # noqa: S607 - where it is differs
        shutil.rmtree(folder, ignore_errors=True)


def resize(disk: Path, size: str) -> None:
    """Set the size of a mounted tmpfs, as mount(8) reads it: `2048m`. Raises CalledProcessError if it is too small."""
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)  # noqa: S607


def _mail_server(folder: Path) -> MailServer:
    place = Paths(ROOT, folder / "mails")
    place.run.mkdir()
    chosen = ports(place, ("smtp", "page"), {})
    return MailServer(place.run / "mails.jsonl", chosen["smtp"], chosen["page"])


def _mount(folder: Path) -> bool:
    """Create a folder and mount a tmpfs on it; return False if that is not possible, as without root."""
    folder.mkdir(mode=0o755)
    with suppress(OSError):
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=755", "hookstream-chaos", str(folder)]
        return os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    return False


def _wind_clocks(folder: Path) -> None:
    folder.mkdir()
    for service in SERVICES:
        (folder / service.module).write_bytes(struct.pack("d", 0.0))
