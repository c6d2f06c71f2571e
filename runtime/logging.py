"""Log lines as JSON with an allow-list of fields: ids, never bodies, secrets, signatures or card numbers.

Lines are written to standard error together, within GATHER_S: one write a line was a tenth of the gateway's CPU. A
warning or an error is written at once, with the lines before it, and so is everything at exit; a process that is
killed loses the debug and info lines of its last GATHER_S.
"""

import atexit
import os
import time
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event, RLock, Thread

import msgspec

FIELDS = frozenset(
    "event level timestamp service id type cause to error attempt count topic partition offset order_id payment_id "
    "status session_id payment_status provider path signal port url seconds exception settings store".split()
)
LEVELS = ("debug", "info", "warning", "error")
GATHER_S = 0.05
CHUNK_BYTES = 4_096
"""Bytes of whole lines in one write: a pipe that several processes share keeps so many together (POSIX PIPE_BUF)."""

STANDARD_ERROR = 2

_encode = msgspec.json.Encoder().encode


class LineWriter:
    """Writes lines to a file descriptor in their order, from any thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: list[bytes] = []
        self._lock = RLock()  # a signal's handler may log while the thread it interrupts holds the lock
        self._any = Event()
        self._thread: Thread | None = None

    def write(self, line: bytes, *, at_once: bool) -> None:
        """Write `line` with those before it, now or within GATHER_S."""
        with self._lock:
            self._lines.append(line)
            if at_once:
                self.flush()
            elif len(self._lines) == 1:
                self._any.set()
                if self._thread is None:
                    self._thread = Thread(target=self._gather, name="log", daemon=True)
                    self._thread.start()

    def flush(self) -> None:
        """Write all lines that wait. A descriptor that takes nothing any more loses them: the service goes on."""
        with self._lock:
            lines, self._lines = self._lines, []
            with suppress(OSError):
                for chunk in _chunks(lines):
                    _write_whole(self._descriptor, chunk)

    def _gather(self) -> None:
        while True:
            self._any.wait()
            self._any.clear()
            time.sleep(GATHER_S)
            self.flush()


class Log:
    """Renders a line for each event; `configure` says for which service and from which level on."""

    def __init__(self) -> None:
        self._service = "hookstream"
        self._least = LEVELS.index("info")
        self._writer: LineWriter | None = None

    def configure(self, service: str, level: str) -> None:
        """Name the service in each line, and drop lines below `level`."""
        self._service = service
        self._least = LEVELS.index(level)

    def debug(self, event: str, **fields: object) -> None:
        if self._least == 0:
            self._write("debug", event, fields)

    def info(self, event: str, **fields: object) -> None:
        if self._least <= 1:
            self._write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        if self._least <= 2:  # noqa: PLR2004 - the levels by their place
            self._write("warning", event, fields, at_once=True)

    def error(self, event: str, **fields: object) -> None:
        self._write("error", event, fields, at_once=True)

    def exception(self, event: str, **fields: object) -> None:
        """Log an error with the traceback of the exception being handled."""
        self.error(event, **fields, exception=traceback.format_exc().rstrip("\n"))

    def flush(self) -> None:
        """Write all lines that wait."""
        if self._writer:
            self._writer.flush()

    def _write(self, level: str, event: str, fields: dict[str, object], *, at_once: bool = False) -> None:
        line = {name: value for name, value in fields.items() if name in FIELDS}
        line["event"] = event
        line.setdefault("service", self._service)
        line["level"] = level
        line["timestamp"] = datetime.fromtimestamp(time.time(), UTC)
        if self._writer is None:
            self._writer = LineWriter(STANDARD_ERROR)
            atexit.register(self._writer.flush)
        self._writer.write(_encode(line) + b"\n", at_once=at_once)


def _write_whole(descriptor: int, data: bytes) -> None:
    """Write without Python's buffers, which a signal's handler may not enter a second time."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _chunks(lines: list[bytes]) -> list[bytes]:
    """Yield whole lines, joined up to CHUNK_BYTES."""
    chunks: list[bytes] = []
    begin = size = 0
    for at, line in enumerate(lines):
        if size and size + len(line) > CHUNK_BYTES:
            chunks.append(b"".join(lines[begin:at]))
            begin, size = at, 0
        size += len(line)
    return [*chunks, b"".join(lines[begin:])] if lines else chunks


log = Log()


def configure(service: str, level: str) -> None:
    """Write this process's log to standard error, each line naming the service."""
    log.configure(service, level)
