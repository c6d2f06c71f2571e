"""A system of its own to be hurt: small disks, clocks that can be put wrong, a mail server that can be made ill."""

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
    """The simulator's, in a process of its own, which outlives its death."""

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

    def be(self, mood: Mood) -> None:
        """From now on, with each new mail."""
        body = msgspec.json.encode(mood)
        assert Shop(self.url, "").request("POST", "/simulator/mood", body, {}).status == 204


@dataclass(frozen=True)
class World:
    """What is hurt. `disks` are the small file systems that could be made, by what lies on them."""

    env: Mapping[str, str]
    folder: Path
    mails: MailServer
    disks: Mapping[str, Path]

    def pid(self, process: str) -> int:
        return processes.pid(dict(self.env), process)

    def kill(self, process: str, by: signal.Signals = signal.SIGKILL) -> None:
        """End a process, and wait until another has its place."""
        processes.kill(dict(self.env), process, by)

    def password(self, role: str) -> str:
        """Of a role of its Postgres."""
        return str(json.loads((self.folder / "secrets.json").read_text())[role])

    def said(self, words: str) -> int:
        """How many lines of its logs have these words."""
        logs = (self.folder / "log").glob("*")
        return sum(words in line for log in logs for line in log.read_text(errors="replace").splitlines())

    def keep_logs(self, folder: Path) -> None:
        """Copy what its processes said to where it outlives them."""
        shutil.copytree(self.folder / "log", folder, dirs_exist_ok=True)

    def set_clock(self, module: str, seconds: float) -> None:
        """Put a service's clock forward, or back."""
        with (self.folder / "clocks" / module).open("r+b") as file:
            file.write(struct.pack("d", seconds))


@contextmanager
def world() -> Iterator[World]:
    """Up and ready; gone afterwards, its disks too."""
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
    """As small as what is on it, or as large as it was: `size` as mount(8) reads it."""
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)  # noqa: S607


def _mail_server(folder: Path) -> MailServer:
    place = Paths(ROOT, folder / "mails")
    place.run.mkdir()
    chosen = ports(place, ("smtp", "page"), {})
    return MailServer(place.run / "mails.jsonl", chosen["smtp"], chosen["page"])


def _mount(folder: Path) -> bool:
    """Whether there is now a file system of its own, which takes root and a kernel that lets it."""
    folder.mkdir(mode=0o755)
    with suppress(OSError):
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=755", "hookstream-chaos", str(folder)]
        return os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    return False


def _wind_clocks(folder: Path) -> None:
    folder.mkdir()
    for service in SERVICES:
        (folder / service.module).write_bytes(struct.pack("d", 0.0))
