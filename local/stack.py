"""The stack as the command line and the tests see it: run it, stop it, or have its infrastructure alone."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, MappingProxyType

from local import environment, run_state
from local.messages import Trouble, complain, say, without_password
from local.parts import postgres_home
from local.paths import Paths
from local.processes import orphan_processes, run_lock
from local.system import Stack, serving, standing

PORTS = {"gateway": 3000, "console": 3001}  # the examples in the documents then work as written
SHOWN = ("GATEWAY_URL", "CONSOLE_URL", "INBOX_URL", "KAFKA_BOOTSTRAP_SERVERS", "SCHEMA_REGISTRY_URL")
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED = 130


class Stopped(KeyboardInterrupt):
    """Somebody asked us to stop, by Ctrl-C or otherwise."""


def run(root: Path, *, registry: bool, on_ready: Callable[[dict[str, str]], int | None]) -> int:
    """In the foreground until a signal; what `on_ready` returned is the code to exit with."""
    place, code = _place(root), INTERRUPTED
    try:
        with _stoppable(), run_lock.alone(place):
            began = time.monotonic()
            settings = environment.decide(place, _given(place), PORTS, registry=registry)
            with standing(settings) as stack, serving(stack):
                env = environment.read(place)
                _show(env, time.monotonic() - began)
                code = on_ready(env) or 0
                threading.Event().wait()
    except Stopped:
        say("stopped")
    except Trouble as trouble:
        complain(trouble)
        code = 1
    return code


def stop(root: Path) -> int:
    """Returns when nothing of the run is left, even of one that was killed."""
    place = _place(root)
    if run_lock.dismiss(place):
        say("stopped")
        return 0
    left = orphan_processes.sweep(place)
    place.env_file.unlink(missing_ok=True)
    say(f"ended {left} processes of a run that was killed" if left else "nothing runs here")
    return 0


@contextmanager
def everything(
    root: Path, data: Path, *, given: Mapping[str, str] = MappingProxyType({}), registry: bool = False
) -> Iterator[dict[str, str]]:
    """The whole system for tests, on ports and data of its own: but for what is `given`, such as a broker."""
    with _alone(root, data, given, registry=registry) as stack, serving(stack):
        yield environment.read(stack.settings.place)


@contextmanager
def _alone(root: Path, data: Path, given: Mapping[str, str], *, registry: bool) -> Iterator[Stack]:
    place = Paths(root.resolve(), data.resolve())
    try:
        with run_lock.alone(place), standing(environment.decide(place, given, {}, registry=registry)) as stack:
            yield stack
    finally:
        postgres_home.forget(place.run / "postgres")


def _place(root: Path) -> Paths:
    return Paths(root.resolve(), root.resolve() / ".run")


def _given(place: Paths) -> Mapping[str, str]:
    """Return the environment; where the broker is started here, with few partitions."""
    given = dict(os.environ)
    if not given.get("KAFKA_BOOTSTRAP_SERVERS"):
        given.setdefault("TOPIC_PARTITIONS", str(run_state.partitions(place)))
    return given


def _show(env: dict[str, str], seconds: float) -> None:
    for name in SHOWN:
        if env[name]:
            say(f"{name}={without_password(env[name])}")
    say(f"ready in {seconds:.0f} s; Ctrl-C or `make stop` ends it; everything else is in .run/env, logs in .run/log")


@contextmanager
def _stoppable() -> Iterator[None]:
    """The first signal becomes an exception; more of them do not disturb the stopping."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    before = {number: signal.signal(number, stop) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
