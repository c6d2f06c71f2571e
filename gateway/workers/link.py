"""Requests from the supervisor to a worker, one at a time, over a socket pair that the worker inherits.

A worker answers in a thread of its own. When the link closes, the supervisor has ended for whatever reason; the worker
then exits at once, so that it does not keep the port.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from threading import Lock, Thread
from typing import Any, TypeAlias

from runtime.logging import log
from runtime.management.routes import RequestRefused

ORPHANED = 1
"""The exit code of a worker whose supervisor has ended."""
Verb = Callable[..., object]
"""A function of a worker that the supervisor may call by a name."""
Pipe: TypeAlias = "Connection[Any, Any]"  # generic only in its stub
Refusal = tuple[int, str, str]
"""The arguments of a RequestRefused."""


class WorkerUnavailable(Exception):
    """The worker has ended, or does not answer in time."""


class Link:
    """The supervisor's end of the connection to a worker. Several threads may use it; their calls run one at a time."""

    def __init__(self, connection: Pipe) -> None:
        self._connection = connection
        self._lock = Lock()
        self._last_request = 0

    def call(self, timeout_s: float, verb: str, *arguments: object) -> Any:
        """Have the worker call its verb with `arguments`; return the result.

        Raises WorkerUnavailable if the worker has ended or does not answer for `timeout_s` seconds: it may still finish
        the call. Raises RequestRefused if the verb did, or failed.
        """
        with self._lock:
            self._last_request += 1
            try:
                self._connection.send((self._last_request, verb, arguments))
                value, refused = self._answer(timeout_s)
            except (OSError, EOFError) as gone:
                raise WorkerUnavailable from gone
        if refused:
            raise RequestRefused(*refused)
        return value

    def close(self) -> None:
        """Close the connection; no call may be running."""
        self._connection.close()

    def _answer(self, timeout_s: float) -> tuple[object, Refusal | None]:
        """Return the answer to the last request; skip late answers to earlier ones."""
        while self._connection.poll(timeout_s):
            number, value, refused = self._connection.recv()
            if number == self._last_request:
                return value, refused
        raise WorkerUnavailable


def end() -> None:
    """Exit this process at once with ORPHANED, without cleaning up."""
    log.error("worker.orphaned")
    os._exit(ORPHANED)


def serve(connection: Pipe, verbs: Mapping[str, Verb], orphaned: Callable[[], object] = end) -> None:
    """Start a thread that executes the supervisor's calls of `verbs`, and `orphaned` once the connection closes."""
    Thread(target=_serve, args=(connection, verbs, orphaned), name="supervisor", daemon=True).start()


def _serve(connection: Pipe, verbs: Mapping[str, Verb], orphaned: Callable[[], object]) -> None:
    with suppress(OSError, EOFError):
        while True:
            number, verb, arguments = connection.recv()
            connection.send((number, *_result(verbs[verb], arguments)))
    orphaned()


def _result(verb: Verb, arguments: tuple[object, ...]) -> tuple[object, Refusal | None]:
    try:
        return verb(*arguments), None
    except RequestRefused as refused:
        return None, (refused.status, refused.error, str(refused))
    except Exception:  # noqa: BLE001 - the supervisor gets an answer whatever a verb raises
        log.exception("management.failed")
        return None, (500, "internal_error", "this failed; see the log of the service")
