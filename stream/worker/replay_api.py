"""Management routes for the replays of a service: list them, and run one of the replay commands at a time.

A command is a child process, `python -m <package> replay …`, with the environment of the service: a replay uses a core
for minutes and much memory, and a service that dies of it would stop processing. See docs/decisions/0028.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from tempfile import TemporaryFile
from threading import Lock
from typing import IO

from sqlalchemy import Connection, Engine

from runtime.logging import log
from runtime.management.openapi import TEXT, Operation, array, described, optional, record
from runtime.management.parameters import malformed, required_text
from runtime.management.refusals import refused_while_store_is_away
from runtime.management.routes import RequestRefused, Routes
from runtime.plain_text import plain

VERBS = ("start", "diff", "promote", "rollback", "drop")
SHOWN_BYTES = 20_000
"""The number of bytes that are shown of a command's output, from its end."""
SHOW = Operation(
    "The replays of the service with their progress, and the latest replay command with its output",
    response=record(service=TEXT, replays=array(record(name=TEXT)), command=optional(record(output=TEXT))),
    refusals=(503,),
)
RUN = Operation(
    'Run a replay command; the body is {"verb": start, diff, promote, rollback or drop, "name", "orders", "to", "by"}',
    body=record(),
    response=record(service=TEXT, command=record(output=TEXT)),
    refusals=(409,),
)
LONGEST = 200
MAX_NAME = 48

SCHEMAS = """
SELECT n.nspname::text, n.nspname = current_schema() AS is_live
  FROM pg_namespace AS n JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'replay' AND c.relkind = 'r'
 ORDER BY 1
"""
STATE = """
SELECT to_time, orders, started_at, finished_at, looked_at,
       (SELECT coalesce(sum(end_offset - next_offset), 0)::bigint FROM {schema}.replay_progress
         WHERE purpose = 'source') AS unread,
       (SELECT coalesce(sum(end_offset), 0)::bigint FROM {schema}.replay_progress WHERE purpose = 'source') AS records
  FROM {schema}.replay
"""


@dataclass(slots=True)
class Command:
    """A replay command: its words after `python -m <package>`, its operator, its process and the file of its output."""

    words: Sequence[str]
    by: str
    process: subprocess.Popen[bytes]
    output: IO[bytes]

    def shown(self) -> dict[str, object]:
        """Return `words`, the operator `by`, the `exit` code (None while it runs), and the end of the `output`."""
        # Not read(): the process writes at the same position of the file.
        size = os.fstat(self.output.fileno()).st_size
        end = os.pread(self.output.fileno(), SHOWN_BYTES, max(0, size - SHOWN_BYTES))
        text = end.decode(errors="replace")
        lines = [plain(line) for line in text.split("\n")]
        return {"words": list(self.words), "by": self.by, "exit": self.process.poll(), "output": "\n".join(lines)}


@dataclass(slots=True)
class ReplayApi:
    """The routes of one service. `package` is its Python package, `command` the latest command (None: none yet)."""

    service: str
    package: str
    store: Engine
    command: Command | None = None
    _lock: Lock = field(default_factory=Lock)

    def routes(self) -> Routes:
        """Return the handlers by method and path."""
        return {("GET", "/replays"): described(SHOW, self.show), ("POST", "/replays"): described(RUN, self.run)}

    def show(self, _: Mapping[str, object]) -> object:
        """Return the schemas that replays have filled, with their progress, and the latest command.

        Of each, `unread` is the number of offsets left to read, `records` the sum of the end offsets. Raises
        RequestRefused (503) when the store fails.
        """
        with refused_while_store_is_away(self.service), self.store.connect() as tx:
            replays = _replays(tx)
        return {
            "service": self.service,
            "replays": replays,
            "command": self.command.shown() if self.command else None,
        }

    def run(self, request: Mapping[str, object]) -> object:
        """Start a command and return it, without waiting for its end.

        `request` is {"verb", "name", "orders", "to", "by"}, without what the verb does not need. Raises RequestRefused:
        400 for a missing or invalid field, 409 while another command is running.
        """
        words, by = _words(request), required_text(request, "by", LONGEST)
        with self._lock:
            if self.command is not None and self.command.process.poll() is None:
                raise RequestRefused(409, "busy", f"`{' '.join(self.command.words)}` is running; wait until it ends")
            self.command = self._start(words, by)
        log.warning("replay.started", cause=" ".join(words))
        return {"service": self.service, "command": self.command.shown()}

    def _start(self, words: Sequence[str], by: str) -> Command:
        output = TemporaryFile()  # noqa: SIM115 - read as long as the command is the latest
        argv = [sys.executable, "-m", self.package, *words]
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        return Command(words, by, process, output)


def _replays(tx: Connection) -> list[dict[str, object]]:
    found = []
    for name, is_live in tx.exec_driver_sql(SCHEMAS).all():
        quoted = '"' + name.replace('"', '""') + '"'
        row = tx.exec_driver_sql(STATE.format(schema=quoted)).mappings().one_or_none()
        if row is not None:
            found.append({"name": name, "live": is_live, **{key: _json(value) for key, value in row.items()}})
    return found


def _json(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _words(request: Mapping[str, object]) -> list[str]:
    """Return the words of the command line. The command checks them too, and its output says if they are wrong."""
    verb = request.get("verb")
    if verb not in VERBS:
        raise malformed(f"verb must be one of {', '.join(VERBS)}")
    if verb == "rollback":
        return ["replay", "rollback"]
    name = required_text(request, "name", MAX_NAME)
    if not (name.isascii() and name.replace("_", "").isalnum() and name[0].isalpha()):
        raise malformed("name must be letters, digits and underscores, such as r1")
    if verb != "start":
        return ["replay", str(verb), name]
    given = [option for option in ("orders", "to") if request.get(option)]
    return ["replay", "--into", name, *(f"--{option}={required_text(request, option, LONGEST)}" for option in given)]
