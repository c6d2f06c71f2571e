"""Repeats the housekeeping of a store in a thread."""

from collections.abc import Callable
from threading import Event, Thread

from sqlalchemy import exc

from runtime.logging import log
from runtime.postgres.engine import failure_message


def start(name: str, work: Callable[[], object], every_s: float, retry_s: float, stop: Event) -> Thread:
    """Call `work` in a thread, which is returned, until `stop` is set: now, and `every_s` seconds after each end.

    After a failure, `retry_s` replaces `every_s`. A failure is logged as `{name}.failed`, with a traceback unless it is
    the store's; none ends the thread.
    """
    thread = Thread(target=_run, args=(name, work, every_s, retry_s, stop), name=name, daemon=True)
    thread.start()
    return thread


def _run(name: str, work: Callable[[], object], every_s: float, retry_s: float, stop: Event) -> None:
    wait = 0.0
    while not stop.wait(wait):
        try:
            work()
            wait = every_s
        except (exc.DBAPIError, exc.TimeoutError) as failure:
            log.warning(f"{name}.failed", error=failure_message(failure), seconds=retry_s)
            wait = retry_s
        except Exception:  # noqa: BLE001 - a defect must not end the housekeeping unnoticed
            log.exception(f"{name}.failed", seconds=retry_s)
            wait = retry_s
