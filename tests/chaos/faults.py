"""What can be done to a system: each fault begins when its `with` is entered, and is healed when it is left.

`rows` are those of the fault matrix (tests/fault_matrix.md) that it stands for.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import psycopg

from local.environment import STORES
from local.services import SERVICES
from simulator.world.mailserver import Ill, Mood
from stream.events import topics
from tests.actors import until
from tests.chaos.world import DISK_MB, World, resize
from tests.log import append
from tests.processes import forget_group, frozen

WORKERS = tuple(service.name.upper() for service in SERVICES if service.store)
SPARE_KB = 4  # a tmpfs counts by pages
SHRINKS = 20


@dataclass(frozen=True)
class Fault:
    """`strike` yields what was hit. `needs` names the small disk without which it cannot be done."""

    name: str
    rows: tuple[str, ...]
    strike: Callable[[World, Random], AbstractContextManager[str]]
    needs: str | None = None


@contextmanager
def killed(world: World, chance: Random, *, which: tuple[str, ...], by: signal.Signals) -> Iterator[str]:
    process = chance.choice(which)
    world.kill(process, by)
    yield process


@contextmanager
def stopped(world: World, chance: Random, *, which: tuple[str, ...]) -> Iterator[str]:
    process = chance.choice(which)
    with frozen(dict(world.env), process):
        yield process


@contextmanager
def backends_terminated(world: World, chance: Random) -> Iterator[str]:
    """All connections of one service are cut, also in the middle of a commit."""
    store = chance.choice(STORES).name
    with database(world, store) as connection:
        rows = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    yield f"{len(rows)} of {store}"


@contextmanager
def backend_frozen(world: World, chance: Random) -> Iterator[str]:
    """A server that is there and does not answer: no timeout of the server's own helps."""
    store = chance.choice(STORES).name
    with database(world, store) as connection:
        pids = [
            row[0]
            for row in connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        ]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield f"{len(pids)} of {store}"
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextmanager
def table_locked(world: World, chance: Random) -> Iterator[str]:
    """Whoever writes waits for its lock_timeout, and again."""
    store = chance.choice(STORES).name
    with database(world, store) as connection:
        connection.execute("BEGIN")
        with suppress(psycopg.errors.LockNotAvailable):
            connection.execute("SET LOCAL lock_timeout = '2s'")
            connection.execute("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
        yield store
        with suppress(psycopg.OperationalError):
            connection.execute("ROLLBACK")


@contextmanager
def connections_used_up(world: World, _: Random) -> Iterator[str]:
    """Nobody new gets in: 53300."""
    taken: list[psycopg.Connection] = []
    try:
        with suppress(psycopg.OperationalError):
            while len(taken) < 200:
                taken.append(psycopg.connect(world.env["PAYMENT_AUDIT_URL"], connect_timeout=2))
        yield f"{len(taken)} taken"
    finally:
        for connection in taken:
            connection.close()


def _shrink(disk: Path) -> int:
    """Leave SPARE_KB of room and return the KB in use. The kernel refuses while files grow beyond what was counted."""
    for _ in range(SHRINKS):
        used = shutil.disk_usage(disk).used // 1024
        with suppress(subprocess.CalledProcessError):
            resize(disk, f"{used + SPARE_KB}k")
            return used
    raise RuntimeError(f"{disk} grew each of {SHRINKS} times that its size was set")


@contextmanager
def disk_full(world: World, _: Random, *, disk: str) -> Iterator[str]:
    """Not one page more; then there is room again, and what has died of it must come back."""
    used = _shrink(world.disks[disk])
    try:
        yield f"{used // 1024} MB"
    finally:
        resize(world.disks[disk], f"{DISK_MB}m")


@contextmanager
def mails_ill(world: World, chance: Random, *, ills: tuple[Ill, ...]) -> Iterator[str]:
    ill = chance.choice(ills)
    world.mails.be(Mood(ill, 0.5))
    try:
        yield ill
    finally:
        world.mails.be(Mood())


@contextmanager
def mails_away(world: World, _: Random) -> Iterator[str]:
    """The mail server dies at any point, also between storing and answering."""
    world.mails.kill()
    try:
        yield "the mail server"
    finally:
        world.mails.start()


@contextmanager
def clock_stepped(world: World, chance: Random, *, steps: tuple[int, ...]) -> Iterator[str]:
    """One service believes that it is another time."""
    module, seconds = chance.choice(SERVICES).module, chance.choice(steps)
    world.set_clock(module, seconds)
    try:
        yield f"{module} by {seconds} s"
    finally:
        world.set_clock(module, 0.0)


@contextmanager
def rubbish(world: World, chance: Random) -> Iterator[str]:
    """Bytes nobody can read, on a topic everybody reads."""
    topic = chance.choice((topics.PAYMENT_WEBHOOKS, topics.SHIPPING_WEBHOOKS, topics.PAYMENTS))
    append(dict(world.env), topic, "rubbish", chance.randbytes(chance.randrange(40)))
    yield topic.name


@contextmanager
def offsets_lost(world: World, chance: Random) -> Iterator[str]:
    """A group forgotten by Kafka: everything is read again from the beginning."""
    service = chance.choice(WORKERS)
    forget_group(dict(world.env), service)
    yield service


@contextmanager
def database(world: World, store: str) -> Iterator[psycopg.Connection]:
    """As the superuser; a server that is just coming back is waited for."""
    address = psycopg.conninfo.conninfo_to_dict(world.env[f"{store.upper()}_DATABASE_URL"])
    login = {**address, "user": "postgres", "password": world.password("postgres"), "connect_timeout": 5}

    def connect() -> psycopg.Connection | None:
        with suppress(psycopg.OperationalError):
            return psycopg.connect(autocommit=True, **login)  # type: ignore[arg-type]
        return None

    connection = until(connect, bool)
    assert connection is not None
    with suppress(psycopg.OperationalError), connection:
        yield connection


DROPS: tuple[Ill, ...] = ("closes after the dot", "loses after the dot", "silent after the dot")
DEFERS: tuple[Ill, ...] = ("defers", "full", "closes at data", "closes in the body", "good night")
KILL, TERM, QUIT = signal.SIGKILL, signal.SIGTERM, signal.SIGQUIT

FAULTS = (
    Fault("worker killed", ("F04", "F05", "F06", "F10", "F16", "F36"), partial(killed, which=WORKERS, by=KILL)),
    Fault("gateway killed", ("F01", "F02", "F16"), partial(killed, which=("GATEWAY",), by=KILL)),
    Fault("gateway asked to stop", ("F03",), partial(killed, which=("GATEWAY",), by=TERM)),
    Fault("worker frozen", ("F09", "F17", "F18", "F36"), partial(stopped, which=WORKERS)),
    Fault("gateway frozen", ("F28",), partial(stopped, which=("GATEWAY",))),
    Fault("broker killed", ("F21", "F22", "F31"), partial(killed, which=("KAFKA",), by=KILL)),
    Fault("broker restarted", ("F23",), partial(killed, which=("KAFKA",), by=TERM)),
    Fault("broker frozen", ("F19", "F20"), partial(stopped, which=("KAFKA",))),
    Fault("broker's disk full", ("F24",), partial(disk_full, disk="kafka"), needs="kafka"),
    Fault("postgres killed", ("F39",), partial(killed, which=("POSTGRES",), by=KILL)),
    Fault("postgres stopped at once", ("F40",), partial(killed, which=("POSTGRES",), by=QUIT)),
    Fault("back-ends terminated", ("F41",), backends_terminated),
    Fault("back-ends frozen", ("F42",), backend_frozen),
    Fault("postgres's disk full", ("F44",), partial(disk_full, disk="postgres"), needs="postgres"),
    Fault("connections used up", ("F46",), connections_used_up),
    Fault("table locked", ("F18", "F47"), table_locked),
    Fault("mail server drops after the dot", ("F12", "F13"), partial(mails_ill, ills=DROPS)),
    Fault("mail server defers", ("F13", "F14", "F15"), partial(mails_ill, ills=DEFERS)),
    Fault("mail server refuses", ("F15",), partial(mails_ill, ills=("refuses",))),
    Fault("mail server killed", ("F15",), mails_away),
    Fault("clock stepped", ("F60", "F61", "F62"), partial(clock_stepped, steps=(-86_400, -600, 600, 86_400))),
    Fault("offsets lost", ("F34",), offsets_lost),
    Fault("rubbish on a topic", ("F49",), rubbish),
)
