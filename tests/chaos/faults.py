"""The faults of the chaos tests: each begins when its context manager is entered and is healed when that is left.

A context manager yields a text that says what was hit, chosen by `chance`.
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
    """A fault, and the rows of the fault matrix (tests/fault_matrix.md) that it covers.

    `strike` raises an error if the fault cannot be injected. `needs` is the key in `World.disks` of the small disk that
    the fault needs.
    """

    name: str
    rows: tuple[str, ...]
    strike: Callable[[World, Random], AbstractContextManager[str]]
    needs: str | None = None


@contextmanager
def killed(world: World, chance: Random, *, which: tuple[str, ...], by: signal.Signals) -> Iterator[str]:
    """Send a signal to one of these processes, and wait until another process has replaced it."""
    process = chance.choice(which)
    world.kill(process, by)
    yield process


@contextmanager
def stopped(world: World, chance: Random, *, which: tuple[str, ...]) -> Iterator[str]:
    """Suspend one of these processes with SIGSTOP."""
    process = chance.choice(which)
    with frozen(dict(world.env), process):
        yield process


@contextmanager
def backends_terminated(world: World, chance: Random) -> Iterator[str]:
    """Terminate all connections of one service to its store, even in the middle of a commit."""
    store = chance.choice(STORES).name
    with database(world, store) as connection:
        rows = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    yield f"{len(rows)} of {store}"


@contextmanager
def backend_frozen(world: World, chance: Random) -> Iterator[str]:
    """Suspend the Postgres backends of one store: connections stay open, and no timeout of the server applies."""
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
    """Lock the inbox of one store, so that each transaction of its service waits for its lock_timeout and fails."""
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
    """Open connections as the superuser, whom no role's limit stops, until Postgres refuses more (53300)."""
    taken: list[psycopg.Connection] = []
    try:
        try:
            while True:
                taken.append(_superuser_connection(world, "payment"))
        except psycopg.OperationalError as refused:
            if "too many clients" not in str(refused):
                raise
        yield f"{len(taken)} taken"
    finally:
        for connection in taken:
            connection.close()


def _shrink(disk: Path) -> int:
    """Shrink a disk to SPARE_KB of free room and return the KB in use. Try again while files grow meanwhile.

    Raises RuntimeError after SHRINKS attempts.
    """
    for _ in range(SHRINKS):
        used = shutil.disk_usage(disk).used // 1024
        with suppress(subprocess.CalledProcessError):
            resize(disk, f"{used + SPARE_KB}k")
            return used
    raise RuntimeError(f"{disk} grew each of {SHRINKS} times that its size was set")


@contextmanager
def disk_full(world: World, _: Random, *, disk: str) -> Iterator[str]:
    """Leave no room on the small disk `disk`; then give it its room back."""
    used = _shrink(world.disks[disk])
    try:
        yield f"{used // 1024} MB"
    finally:
        resize(world.disks[disk], f"{DISK_MB}m")


@contextmanager
def mails_ill(world: World, chance: Random, *, ills: tuple[Ill, ...]) -> Iterator[str]:
    """Give half of the mails one of these faults of the mail server."""
    ill = chance.choice(ills)
    world.mails.set_mood(Mood(ill, 0.5))
    try:
        yield ill
    finally:
        world.mails.set_mood(Mood())


@contextmanager
def mails_away(world: World, _: Random) -> Iterator[str]:
    """Kill the mail server, which may be between storing a mail and its reply; then start it again."""
    world.mails.kill()
    try:
        yield "the mail server"
    finally:
        world.mails.start()


@contextmanager
def clock_stepped(world: World, chance: Random, *, steps: tuple[int, ...]) -> Iterator[str]:
    """Shift the clock of one service by some seconds of `steps`."""
    module, seconds = chance.choice(SERVICES).module, chance.choice(steps)
    world.set_clock(module, seconds)
    try:
        yield f"{module} by {seconds} s"
    finally:
        world.set_clock(module, 0.0)


@contextmanager
def rubbish(world: World, chance: Random) -> Iterator[str]:
    """Append bytes that are no record to a topic that workers read. They stay there."""
    topic = chance.choice((topics.PAYMENT_WEBHOOKS, topics.SHIPPING_WEBHOOKS, topics.PAYMENTS))
    append(dict(world.env), topic, "rubbish", chance.randbytes(chance.randrange(40)))
    yield topic.name


@contextmanager
def offsets_lost(world: World, chance: Random) -> Iterator[str]:
    """Let Kafka forget the group of one worker, which then reads its topics again from the beginning."""
    service = chance.choice(WORKERS)
    forget_group(dict(world.env), service)
    yield service


@contextmanager
def database(world: World, store: str) -> Iterator[psycopg.Connection]:
    """Connect to a store as the superuser, with autocommit, once its server answers.

    An error of the connection ends the block without an exception.
    """

    def connect() -> psycopg.Connection | None:
        with suppress(psycopg.OperationalError):
            return _superuser_connection(world, store)
        return None

    connection = until(connect, bool)
    assert connection is not None
    with suppress(psycopg.OperationalError), connection:
        yield connection


def _superuser_connection(world: World, store: str) -> psycopg.Connection:
    address = psycopg.conninfo.conninfo_to_dict(world.env[f"{store.upper()}_DATABASE_URL"])
    login = {**address, "user": "postgres", "password": world.password("postgres"), "connect_timeout": 5}
    return psycopg.connect(autocommit=True, **login)  # type: ignore[arg-type]


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
