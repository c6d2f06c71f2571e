"""Entry points of the local stack for the command line and the tests: run it, stop it, or run it isolated."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, MappingProxyType

from local import environment, run_state
from local.messages import CommandError, print_error, say
from local.parts import postgres_home
from local.paths import Paths
from local.processes import orphan_processes, run_lock
from local.system import Stack, running_infrastructure, running_services
from runtime.confidential.urls import without_password

PORTS = {"gateway": 3000, "console": 3001}  # the ports of the examples in the documentation
SHOWN = ("GATEWAY_URL", "CONSOLE_URL", "INBOX_URL", "KAFKA_BOOTSTRAP_SERVERS", "SCHEMA_REGISTRY_URL")
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED = 130


class StopRequested(KeyboardInterrupt):
    """Raised in the main thread by the first of STOP_SIGNALS."""


def run(root: Path, *, registry: bool, on_ready: Callable[[dict[str, str]], int | None]) -> int:
    """Run the system of the checkout at `root` in the foreground until a signal; return the exit code.

    `on_ready` is called with the variables of the run once all services are ready. The exit code is its result (0 for
    None), 130 when a signal came before its end, or 1 after a CommandError, which is printed.
    """
    paths, code = _paths(root), INTERRUPTED
    try:
        with _stop_signals(), run_lock.exclusive_run(paths):
            began = time.monotonic()
            settings = environment.decide(paths, _given_settings(paths), PORTS, registry=registry)
            with running_infrastructure(settings) as stack, running_services(stack):
                env = environment.read(paths)
                _show(env, time.monotonic() - began)
                code = on_ready(env) or 0
                threading.Event().wait()
    except StopRequested:
        say("stopped")
    except CommandError as error:
        print_error(error)
        code = 1
    return code


def stop(root: Path) -> int:
    """Stop the run of the checkout at `root`, or end what a killed run left behind, and print what was done.

    Return the exit code 0. Raises CommandError when the run does not stop.
    """
    paths = _paths(root)
    if run_lock.stop_holder(paths):
        say("stopped")
        return 0
    left = orphan_processes.sweep(paths)
    paths.env_file.unlink(missing_ok=True)
    say(f"ended {left} processes that a killed run left behind" if left else "no system runs here")
    return 0


@contextmanager
def everything(
    root: Path, data: Path, *, given: Mapping[str, str] = MappingProxyType({}), registry: bool = False
) -> Iterator[dict[str, str]]:
    """Run the whole system for a test during the block, with its own ports, and data in `data`.

    Yield the variables of the run. `given` has variables that replace parts of the system, such as the broker. Raises
    CommandError when a part does not start.
    """
    with _isolated_infrastructure(root, data, given, registry=registry) as stack, running_services(stack):
        yield environment.read(stack.settings.paths)


@contextmanager
def _isolated_infrastructure(root: Path, data: Path, given: Mapping[str, str], *, registry: bool) -> Iterator[Stack]:
    paths = Paths(root.resolve(), data.resolve())
    try:
        with (
            run_lock.exclusive_run(paths),
            running_infrastructure(environment.decide(paths, given, {}, registry=registry)) as stack,
        ):
            yield stack
    finally:
        postgres_home.remove(paths.run / "postgres")


def _paths(root: Path) -> Paths:
    return Paths(root.resolve(), root.resolve() / ".run")


def _given_settings(paths: Paths) -> Mapping[str, str]:
    """Return this process's environment, with the run's number of partitions if the run starts its own broker."""
    given = dict(os.environ)
    if not given.get("KAFKA_BOOTSTRAP_SERVERS"):
        given.setdefault("TOPIC_PARTITIONS", str(run_state.partitions(paths)))
    return given


def _show(env: dict[str, str], seconds: float) -> None:
    for name in SHOWN:
        if env[name]:
            say(f"{name}={without_password(env[name])}")
    if "CONSOLE_USER" in env:
        say(f"log in to the console as {env['CONSOLE_USER']} with {env['CONSOLE_PASSWORD']}")
    say(f"ready in {seconds:.0f} s; stop it with Ctrl-C or `make stop`; all settings are in .run/env, logs in .run/log")


@contextmanager
def _stop_signals() -> Iterator[None]:
    """Raise StopRequested on the first signal of STOP_SIGNALS and ignore further ones."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise StopRequested

    before = {number: signal.signal(number, stop) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
