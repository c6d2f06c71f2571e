"""Logs JSON lines with an allow-list of fields: ids, never bodies, secrets, signatures or card numbers.

Lines are gathered for up to GATHER_S and written to standard error together, because one write per line was a tenth of
the gateway's CPU time. A warning or an error is written at once, with the lines before it; so is everything at exit. A
process that is killed loses the debug and info lines of its last GATHER_S.
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
    "status session_id payment_status provider path signal port url seconds exception settings store fingerprint "
    "invoice_id amount known_amount".split()
)
"""The fields that are logged; others are dropped, so that a defect cannot put a body or a secret into the log."""
LEVELS = ("debug", "info", "warning", "error")
GATHER_S = 0.05
CHUNK_BYTES = 4_096
"""Maximum bytes of one write of several lines. Writes up to POSIX's PIPE_BUF are atomic on a shared pipe."""

STANDARD_ERROR = 2

_encode = msgspec.json.Encoder().encode


class LineWriter:
    """Writes lines to a file descriptor in order, from any thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: list[bytes] = []
        self._lock = RLock()  # a signal handler may log while the thread it interrupts holds the lock
        self._has_lines = Event()
        self._thread: Thread | None = None

    def write(self, line: bytes, *, at_once: bool) -> None:
        """Write `line` and those before it: now if `at_once`, else within GATHER_S."""
        with self._lock:
            self._lines.append(line)
            if at_once:
                self.flush()
            elif len(self._lines) == 1:
                self._has_lines.set()
                if self._thread is None:
                    self._thread = Thread(target=self._gather, name="log", daemon=True)
                    self._thread.start()

    def flush(self) -> None:
        """Write all gathered lines. Lines that the descriptor does not take are lost; nothing is raised."""
        with self._lock:
            lines, self._lines = self._lines, []
            with suppress(OSError):
                for chunk in _chunks(lines):
                    _write_whole(self._descriptor, chunk)

    def _gather(self) -> None:
        while True:
            self._has_lines.wait()
            self._has_lines.clear()
            time.sleep(GATHER_S)
            self.flush()


class Log:
    """Logs events as JSON lines on standard error. Fields that are not in FIELDS are dropped.

    A field `service` replaces the name that `configure` has set.
    """

    def __init__(self) -> None:
        self._service = "hookstream"
        self._min_level = LEVELS.index("info")
        self._writer: LineWriter | None = None

    def configure(self, service: str, level: str) -> None:
        """Put the name `service` into each line, and drop events below `level`, one of LEVELS."""
        self._service = service
        self._min_level = LEVELS.index(level)

    def debug(self, event: str, **fields: object) -> None:
        if self._min_level == 0:
            self._write("debug", event, fields)

    def info(self, event: str, **fields: object) -> None:
        if self._min_level <= 1:
            self._write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        if self._min_level <= 2:  # noqa: PLR2004 - an index of LEVELS
            self._write("warning", event, fields, at_once=True)

    def error(self, event: str, **fields: object) -> None:
        self._write("error", event, fields, at_once=True)

    def exception(self, event: str, **fields: object) -> None:
        """Log an error with the traceback of the exception being handled."""
        self.error(event, **fields, exception=traceback.format_exc().rstrip("\n"))

    def flush(self) -> None:
        """Write all gathered lines."""
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
    """Write without Python's buffers, which a signal handler must not re-enter."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _chunks(lines: list[bytes]) -> list[bytes]:
    """Join lines to chunks of at most CHUNK_BYTES; a longer line is a chunk of its own."""
    chunks: list[bytes] = []
    begin = size = 0
    for index, line in enumerate(lines):
        if size and size + len(line) > CHUNK_BYTES:
            chunks.append(b"".join(lines[begin:index]))
            begin, size = index, 0
        size += len(line)
    return [*chunks, b"".join(lines[begin:])] if lines else chunks


log = Log()


def configure(service: str, level: str) -> None:
    """Put the name `service` into each line of `log`, and drop events below `level`, one of LEVELS."""
    log.configure(service, level)
