"""The system's processes, ended as the power would."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from tests.actors import until

FORGOTTEN_S = 120.0
"""So long may Kafka, itself hurt and busy, take to miss a member and forget its group."""


def pid(system: dict[str, str], service: str) -> int:
    """The process of a service now, 0 while there is none."""
    written = Path(system["RUN_FOLDER"], "env").read_text().splitlines()
    return int(dict(line.split("=", 1) for line in written).get(f"{service}_PID", 0))


def living(system: dict[str, str], service: str) -> int:
    """The process of a service, once it is there: one that died is being started again."""
    return until(lambda: pid(system, service), lambda now: now > 0 and Path("/proc", str(now)).exists())


def kill(system: dict[str, str], service: str, by: signal.Signals = signal.SIGKILL) -> None:
    """End a service, without a warning unless `by` is one, and wait until another process has its place."""
    before = living(system, service)
    os.kill(before, by)
    until(lambda: pid(system, service), lambda now: now not in (0, before))


@contextmanager
def frozen(system: dict[str, str], service: str) -> Iterator[None]:
    """Still there, its port open, and doing nothing: worse than dead."""
    process = living(system, service)
    os.kill(process, signal.SIGSTOP)
    try:
        until(lambda: states(process), lambda seen: seen == {"T"})  # a thread on the other core runs on for a moment
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def states(process: int) -> set[str]:
    """Of its threads, as /proc tells them: R runs, S sleeps, T is stopped."""
    stats = [thread.read_text() for thread in Path("/proc", str(process), "task").glob("*/stat")]
    return {stat.rpartition(") ")[2][0] for stat in stats}


def forget_group(system: dict[str, str], service: str) -> None:
    """Let Kafka forget a worker's group and its offsets, as after a week away; the worker thaws and is nobody."""
    admin = AdminClient({"bootstrap.servers": system["KAFKA_BOOTSTRAP_SERVERS"], "log_level": 0})
    with frozen(system, service):  # until no member is counted any more
        until(lambda: _is_forgotten(admin, service.lower()), bool, FORGOTTEN_S)


def _is_forgotten(admin: AdminClient, group: str) -> bool:
    try:
        admin.delete_consumer_groups([group])[group].result(10)
    except KafkaException as refused:
        return bool(refused.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND)
    return True
