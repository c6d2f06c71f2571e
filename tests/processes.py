"""Kills and suspends the system's processes, by the names in its environment file, such as `PAYMENT`."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from tests.actors import until

FORGOTTEN_S = 120.0
"""How long Kafka, which may be under faults itself, may take to drop a silent member and delete its group."""


def pid(system: dict[str, str], service: str) -> int:
    """Return the id of a service's process by the environment file, 0 if it has none; the process may be dead."""
    written = Path(system["RUN_FOLDER"], "env").read_text().splitlines()
    return int(dict(line.split("=", 1) for line in written).get(f"{service}_PID", 0))


def living(system: dict[str, str], service: str) -> int:
    """Return the id of a service's process once it is running; a dead one is being restarted."""
    return until(lambda: pid(system, service), lambda now: now > 0 and Path("/proc", str(now)).exists())


def kill(system: dict[str, str], service: str, by: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to a service's process, and wait until another process has replaced it."""
    before = living(system, service)
    os.kill(before, by)
    until(lambda: pid(system, service), lambda now: now not in (0, before))


@contextmanager
def frozen(system: dict[str, str], service: str) -> Iterator[None]:
    """Suspend a service's process during the block."""
    with suspended(living(system, service)):
        yield


@contextmanager
def suspended(process: int) -> Iterator[None]:
    """Suspend a process with SIGSTOP during the block: its port stays open, and it does nothing."""
    os.kill(process, signal.SIGSTOP)
    try:
        until(lambda: states(process), lambda seen: seen == {"T"})  # a thread may run for a moment longer
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def states(process: int) -> set[str]:
    """Return the states of a process's threads, as /proc has them: R is running, S sleeping, T stopped."""
    stats = [thread.read_text() for thread in Path("/proc", str(process), "task").glob("*/stat")]
    return {stat.rpartition(") ")[2][0] for stat in stats}


def forget_group(system: dict[str, str], service: str) -> None:
    """Delete a worker's consumer group with its offsets, as Kafka does after a week without members.

    The worker is suspended meanwhile, and finds when it continues that it is no member any more.
    """
    admin = AdminClient({"bootstrap.servers": system["KAFKA_BOOTSTRAP_SERVERS"], "log_level": 0})
    with frozen(system, service):  # a group with members cannot be deleted
        until(lambda: _is_forgotten(admin, service.lower()), bool, FORGOTTEN_S)


def _is_forgotten(admin: AdminClient, group: str) -> bool:
    try:
        admin.delete_consumer_groups([group])[group].result(10)
    except KafkaException as refused:
        return bool(refused.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND)
    return True
