"""Starts the system in order, restarts processes that die, and stops it.

Kafka, Postgres, the inbox and the simulated APIs start in parallel, then topics and migrations, then the services.
"""

import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field

from local import environment, services
from local.environment import STORES, StackSettings
from local.parts import apis, broker, console_users, inbox, postgres, registry
from local.processes.reaper import reaped
from local.processes.supervisor import Supervisor
from stream.events import topics
from stream.kafka import admin
from stream.kafka.cluster import Cluster
from stream.store.schema import migrate


@dataclass(frozen=True)
class Stack:
    """A running system: its settings, its variables and the supervisor of its processes."""

    settings: StackSettings
    env: dict[str, str]
    supervisor: Supervisor
    env_lock: threading.Lock = field(default_factory=threading.Lock)

    def write_env(self) -> None:
        """Write the environment file. Each restart writes it again, because it has process ids.

        Two restarts may coincide, hence the lock.
        """
        with self.env_lock:
            environment.write(self.settings.paths, self.env, self.supervisor.pids())

    def restart_on_death(self) -> None:
        """From now on, restart the processes started so far when they die, and rewrite the environment file."""
        self.write_env()
        self.supervisor.restart_on_death(self.write_env)


@contextmanager
def running_infrastructure(settings: StackSettings) -> Iterator[Stack]:
    """Run the infrastructure during the block: a broker, databases, an inbox, providers' APIs, perhaps a registry.

    A part that the settings are given is not started. When the block ends, all processes are stopped and the
    environment file is deleted. Raises CommandError when a part does not start.
    """
    paths = settings.paths
    with reaped(paths):
        stack = Stack(settings, environment.describe(settings), Supervisor(paths.run))
        try:
            starts = (broker.start, postgres.start, inbox.start, apis.start, registry.start)
            _in_parallel(stack, *(lambda start=start: start(stack.supervisor, settings) for start in starts))
            stack.restart_on_death()
            yield stack
        finally:
            stack.supervisor.stop()
            paths.env_file.unlink(missing_ok=True)


@contextmanager
def running_services(stack: Stack) -> Iterator[None]:
    """Create topics, migrate the stores, start all services and wait until they are ready; then run the block.

    The services do not stop with the block but with the infrastructure. Raises CommandError when one does not start.
    """
    _in_parallel(stack, lambda: _create_topics(stack), lambda: _migrate(stack))
    console_users.write(stack.env)
    programs = [services.program(service, stack.settings.paths, stack.env) for service in services.SERVICES]
    children = [stack.supervisor.start(program) for program in programs]
    stack.write_env()  # the file exists before the gateway is ready
    _in_parallel(stack, *(lambda child=child: stack.supervisor.wait(child) for child in children))
    stack.restart_on_death()
    yield


def _create_topics(stack: Stack) -> None:
    partitions = int(stack.env.get("TOPIC_PARTITIONS") or topics.PARTITIONS)
    admin.create_all(Cluster.of_environment(stack.env, "local"), partitions=partitions)
    # The exception for an existing topic is in a reference cycle that keeps the client alive. Until it is collected,
    # that client would log to the terminal, for hours, whenever the broker is unreachable.
    gc.collect()


def _migrate(stack: Stack) -> None:
    """Migrate the stores one after the other, because alembic keeps its context in globals."""
    for service in STORES:
        migrate.upgrade(service.module, stack.env[service.variable("DATABASE_URL")])


def _in_parallel(stack: Stack, *tasks: Callable[[], None]) -> None:
    """Run tasks in threads. The first failure, or a signal, stops the supervisor, which ends the other tasks."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        try:
            for task in as_completed([pool.submit(task) for task in tasks]):
                task.result()
        except BaseException:
            stack.supervisor.stop()
            raise
