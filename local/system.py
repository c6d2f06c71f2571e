"""Brings the system up in order, keeps it up, and takes it down again.

Kafka, Postgres, the inbox and the simulated APIs side by side, then topics and migrations, then the services.
"""

import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field

from local import environment, services
from local.environment import STORES, Settings
from local.parts import apis, broker, inbox, postgres, registry
from local.processes.reaper import guarded
from local.processes.supervisor import Supervisor
from stream.events import topics
from stream.kafka import admin
from stream.kafka.client_config import Cluster
from stream.store import migrate


@dataclass(frozen=True)
class Stack:
    settings: Settings
    env: dict[str, str]
    supervisor: Supervisor
    writing: threading.Lock = field(default_factory=threading.Lock)

    def record(self) -> None:
        """Again after each restart, because process ids change; two may restart at once."""
        with self.writing:
            environment.write(self.settings.place, self.env, self.supervisor.pids())

    def keep(self) -> None:
        self.record()
        self.supervisor.keep(restarted=self.record)


@contextmanager
def standing(settings: Settings) -> Iterator[Stack]:
    """What the services stand on: a broker, databases, an inbox, APIs to ask, perhaps a registry."""
    place = settings.place
    with guarded(place):
        stack = Stack(settings, environment.describe(settings), Supervisor(place.run))
        try:
            starts = (broker.start, postgres.start, inbox.start, apis.start, registry.start)
            _side_by_side(stack, *(lambda start=start: start(stack.supervisor, settings) for start in starts))
            stack.keep()
            yield stack
        finally:
            stack.supervisor.stop()
            place.env_file.unlink(missing_ok=True)


@contextmanager
def serving(stack: Stack) -> Iterator[None]:
    """All services, on topics and tables that are there; they stop with what they stand on."""
    _side_by_side(stack, lambda: _create_topics(stack), lambda: _migrate(stack))
    programs = [services.program(service, stack.settings.place, stack.env) for service in services.SERVICES]
    children = [stack.supervisor.start(program) for program in programs]
    stack.record()  # whoever sees the gateway ready finds it written
    _side_by_side(stack, *(lambda child=child: stack.supervisor.wait(child) for child in children))
    stack.keep()
    yield


def _create_topics(stack: Stack) -> None:
    partitions = int(stack.env.get("TOPIC_PARTITIONS") or topics.PARTITIONS)
    admin.create_all(Cluster.of_environment(stack.env, "local"), partitions=partitions)
    # "It exists already" leaves a cycle of references that keeps the client, and it would go on for hours
    # to say so on the terminal whenever the broker is away.
    gc.collect()


def _migrate(stack: Stack) -> None:
    """One after the other: alembic keeps its context in globals."""
    for service in STORES:
        migrate.upgrade(service.module, stack.env[service.variable("DATABASE_URL")])


def _side_by_side(stack: Stack, *tasks: Callable[[], None]) -> None:
    """The first failure, or a signal, ends them all: the supervisor releases those that wait."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        try:
            for task in as_completed([pool.submit(task) for task in tasks]):
                task.result()
        except BaseException:
            stack.supervisor.stop()
            raise
