"""Requests from the supervisor to a worker, one at a time, over a socket pair that the worker inherits.

A worker answers in a thread of its own. The end of a link is how it learns that its supervisor is gone, however that
ended: then it ends at once, so that nothing keeps the port.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from threading import Lock, Thread
from typing import Any

from runtime.logging import log
from runtime.management import Refused

ORPHANED = 1
"""The exit code of a worker whose supervisor is gone."""
Verb = Callable[..., Any]


class NoAnswer(Exception):
    """The worker is gone, or does not answer in time."""


class Link:
    """The supervisor's end."""

    def __init__(self, connection: "Connection[Any, Any]") -> None:
        self._connection = connection
        self._lock = Lock()
        self._asked = 0

    def ask(self, timeout_s: float, verb: str, *arguments: Any) -> Any:
        """Return the result of the worker's verb. Raises NoAnswer; Refused and RuntimeError when the verb failed."""
        with self._lock:
            self._asked += 1
            try:
                self._connection.send((self._asked, verb, arguments))
                value, refused = self._answer(timeout_s)
            except (OSError, EOFError) as gone:
                raise NoAnswer from gone
        if refused:
            raise Refused(*refused)
        return value

    def close(self) -> None:
        """Hang up; nobody may be asking."""
        self._connection.close()

    def _answer(self, timeout_s: float) -> tuple[Any, Any]:
        """The answer to the last question; answers to earlier ones came too late."""
        while self._connection.poll(timeout_s):
            number, value, refused = self._connection.recv()
            if number == self._asked:
                return value, refused
        raise NoAnswer


def end() -> None:
    """End this process at once."""
    log.error("worker.orphaned")
    os._exit(ORPHANED)


def serve(connection: "Connection[Any, Any]", verbs: Mapping[str, Verb], orphaned: Callable[[], object] = end) -> None:
    """Answer the supervisor in a thread until it is gone; then call `orphaned`."""
    Thread(target=_serve, args=(connection, verbs, orphaned), name="supervisor", daemon=True).start()


def _serve(connection: "Connection[Any, Any]", verbs: Mapping[str, Verb], orphaned: Callable[[], object]) -> None:
    with suppress(OSError, EOFError):
        while True:
            number, verb, arguments = connection.recv()
            connection.send((number, *_result(verbs[verb], arguments)))
    orphaned()


def _result(verb: Verb, arguments: tuple[Any, ...]) -> tuple[Any, Any]:
    try:
        return verb(*arguments), None
    except Refused as refused:
        return None, (refused.status, refused.error, str(refused))
    except Exception:  # noqa: BLE001 - whatever a verb does, the supervisor gets an answer
        log.exception("management.failed")
        return None, (500, "internal_error", "this failed; the log says why")
