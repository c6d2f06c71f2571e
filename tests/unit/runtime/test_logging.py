"""Log lines: their fields, when they are written, and which of them survive the end of the process."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Any

from runtime.logging import CHUNK_BYTES, FIELDS, LEVELS, LineWriter, _chunks

PREPARE = "from runtime import logging; from runtime.logging import log; logging.configure('gateway', {level!r}); "


def logged(program: str, level: str = "info") -> list[dict[str, Any]]:
    """The lines that a process has written when it ends."""
    said = subprocess.run(
        [sys.executable, "-c", PREPARE.format(level=level) + program], stderr=subprocess.PIPE, check=False
    )
    return [json.loads(line) for line in said.stderr.splitlines()]


def test_a_line_has_its_event_its_time_and_allowed_fields_only() -> None:
    (line,) = logged("log.info('webhook.received', id='7', body='{}', signature='s', count=2)")

    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "webhook.received", "service": "gateway", "level": "info", "id": "7", "count": 2}


def test_no_field_that_a_service_logs_is_dropped() -> None:
    root = Path(__file__).parents[3]
    modules = [
        module
        for service in ("confirmer", "console", "gateway", "notifier", "processors", "runtime", "stream")
        for module in root.joinpath(service).rglob("*.py")
    ]

    logged_fields = {(module.name, name) for module in modules for name in _logged_fields(module)}

    assert len(logged_fields) > 100
    assert [(module, name) for module, name in logged_fields if name not in FIELDS] == []


def _logged_fields(module: Path) -> list[str]:
    calls = [node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Call)]
    writers = {f"log.{level}" for level in (*LEVELS, "exception")}
    return [
        field.arg
        for call in calls
        if ast.unparse(call.func) in writers
        for field in call.keywords
        if field.arg is not None
    ]


def test_another_service_may_be_named() -> None:
    assert [line["service"] for line in logged("log.info('store.answers', service='payment')")] == ["payment"]


def test_lines_below_the_level_are_dropped() -> None:
    program = "log.debug('a'); log.info('b'); log.warning('c'); log.error('d')"

    assert [line["event"] for line in logged(program, "warning")] == ["c", "d"]
    assert [line["event"] for line in logged(program, "error")] == ["d"]
    assert [line["event"] for line in logged(program, "debug")] == ["a", "b", "c", "d"]


def test_an_exception_is_logged_with_its_traceback() -> None:
    (line,) = logged("\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    log.exception('failed')")

    assert line["level"] == "error"
    assert line["exception"].endswith("ZeroDivisionError: division by zero")


def test_what_waits_is_written_at_exit_and_in_order() -> None:
    assert [line["count"] for line in logged("[log.info('n', count=n) for n in range(1000)]")] == [*range(1000)]


def test_a_warning_is_written_at_once_with_the_lines_before_it() -> None:
    killed = "import os, signal; log.info('a'); log.warning('b'); os.kill(os.getpid(), signal.SIGKILL)"

    assert [line["event"] for line in logged(killed)] == ["a", "b"]


def test_a_line_is_written_though_no_other_follows() -> None:
    read, write = os.pipe()

    LineWriter(write).write(b"a line\n", at_once=False)

    assert os.read(read, 100) == b"a line\n"  # waits for it


def test_lines_of_many_threads_stay_whole_and_those_of_one_in_order() -> None:
    read, write = os.pipe()
    writer = LineWriter(write)

    def say(name: int) -> None:
        for n in range(500):
            writer.write(b'{"thread": %d, "n": %d}\n' % (name, n), at_once=n % 50 == 0)

    threads = [Thread(target=say, args=[name]) for name in range(4)]
    for thread in threads:
        thread.start()
    with os.fdopen(read, "rb") as lines:
        found = [json.loads(lines.readline()) for _ in range(4 * 500)]

    for name in range(4):
        assert [line["n"] for line in found if line["thread"] == name] == [*range(500)]


def test_a_handler_of_a_signal_may_log_at_any_moment() -> None:
    program = """
import signal
signals = []
signal.signal(signal.SIGALRM, lambda *_: log.info('signalled') or signals.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
while len(signals) < 300:
    log.info('n')
signal.setitimer(signal.ITIMER_REAL, 0)
log.warning('done', count=len(signals))
"""
    lines = logged(program)

    assert sum(line["event"] == "signalled" for line in lines) == lines[-1]["count"]


def test_one_write_holds_whole_lines_and_no_more_than_a_pipe_keeps_together() -> None:
    lines = [b"x" * size + b"\n" for size in (10, 5_000, 3_000, 1_000, 200, 1)]

    chunks = _chunks(lines)

    assert b"".join(chunks) == b"".join(lines)
    assert [len(chunk) for chunk in chunks] == [11, 5_001, 4_002, 203]
    assert all(chunk.endswith(b"\n") and (len(chunk) <= CHUNK_BYTES or chunk.count(b"\n") == 1) for chunk in chunks)


def test_a_log_that_nobody_reads_any_more_does_not_stop_the_service() -> None:
    read, write = os.pipe()
    os.close(read)

    LineWriter(write).write(b"a line\n", at_once=True)
