"""Asks a store for a sign of life, on a connection and a thread of its own, so that a hung one is noticed.

A query on a connection whose server is frozen does not return and does not fail: the kernel still takes what is sent.
A server whose first process is frozen answers on the connections it has and accepts no other, so each look asks on a
kept connection and greets the server on a new one. A greeting ends before authentication, which would cost both sides
several milliseconds of CPU.
"""

import re
import select
import socket
import struct
import time
from threading import Thread

import psycopg
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn
from sqlalchemy import Engine, exc

from runtime.logging import log
from runtime.postgres.engine import conninfo
from runtime.startup import Need, NotYet, refuse

EVERY_S = 2.5
AGAIN_S = 0.5
ANSWERS_IN_S = 2.0
MISSED_S = 6.0
"""Seconds without an answer after which a store counts as hung: noticed at the second such query, within 8 s."""

GREETING = struct.pack("!ii", 8, 80877104)
"""GSSENCRequest of the PostgreSQL protocol: answered with one byte; a client that then leaves is not logged."""

# Postgres tells why it refuses a connection by words only: in English, unless its lc_messages says otherwise.
REFUSED = re.compile(
    r"password authentication failed|no password supplied|no pg_hba\.conf entry|not permitted to log in"
)


class Unanswered(Exception):
    """The store has not answered in time, or not as a store does."""


class StoreProbe:
    """Watches the store of `service`; `problem` may be asked from any thread, and never waits."""

    def __init__(self, service: str, store: Engine) -> None:
        self._service = service
        self._conninfo = conninfo(store.url)
        self._at = place(store)
        self._answered_at = time.monotonic()
        self._is_told = self._started = False
        self._kept: psycopg.Connection | None = None

    def start(self) -> None:
        """Ask in a thread until the process ends."""
        self._answered_at, self._started = time.monotonic(), True
        Thread(target=self._run, name="store-probe", daemon=True).start()

    def problem(self) -> str | None:
        """Return the problem with the store, also when the probe itself hangs, as in a name server."""
        silent_s = time.monotonic() - self._answered_at
        if not self._started or silent_s <= MISSED_S:
            return None
        return f"the store of {self._service} ({self._at}) has not answered for {silent_s:.0f} s"

    def _run(self) -> None:
        while True:
            try:
                self._ask()
            except (psycopg.Error, OSError, Unanswered) as failure:
                self._tell(failure)
                time.sleep(AGAIN_S)
            else:
                self._answered()
                time.sleep(EVERY_S)

    def _ask(self) -> None:
        """Raises when no answer comes in time."""
        is_new = self._kept is None
        kept = self._kept = self._kept or self._connected()
        try:
            _question(kept.pgconn)
            if not is_new:
                _greet(kept.pgconn)
        except (psycopg.Error, OSError, Unanswered):
            self._kept = None
            kept.pgconn.finish()  # says no good-bye, which a frozen server would not hear either
            raise

    def _connected(self) -> psycopg.Connection:
        return psycopg.connect(
            self._conninfo,
            autocommit=True,
            connect_timeout=int(ANSWERS_IN_S),
            application_name=f"hookstream-{self._service}-probe",
        )

    def _tell(self, failure: Exception) -> None:
        if self.problem() and not self._is_told:
            self._is_told = True
            seconds = round(time.monotonic() - self._answered_at)
            error = type(failure).__name__
            log.error("store.silent", service=self._service, store=self._at, error=error, seconds=seconds)

    def _answered(self) -> None:
        if self._is_told:
            log.info("store.answers", service=self._service, store=self._at)
        self._answered_at, self._is_told = time.monotonic(), False


def _question(server: PGconn) -> None:
    until = time.monotonic() + ANSWERS_IN_S
    server.send_query(b"SELECT 1")
    while server.is_busy():
        if not select.select([server.socket], [], [], max(0.0, until - time.monotonic()))[0]:
            raise Unanswered(f"no answer within {ANSWERS_IN_S:g} s")
        server.consume_input()
    while (result := server.get_result()) is not None:
        if result.status != ExecStatus.TUPLES_OK:
            raise Unanswered(result.error_message.decode(errors="replace").strip())


def _greet(server: PGconn) -> None:
    """Ask for a sign of life on a new connection to the same server. A server that hangs up lives as well."""
    host, port = server.host.decode(), int(server.port)
    if host.startswith("/"):
        greeting = socket.socket(socket.AF_UNIX)
        address: str | tuple[str, int] = f"{host}/.s.PGSQL.{port}"
    else:
        address = (server.hostaddr.decode() or host, port)
        greeting = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    with greeting:
        greeting.settimeout(ANSWERS_IN_S)
        greeting.connect(address)
        greeting.sendall(GREETING)
        greeting.recv(1)


def place(store: Engine) -> str:
    """Return a store's host, port and database, without the role and its password."""
    return f"{store.url.host}:{store.url.port or 5432}/{store.url.database}"


def store_answers(service: str, store: Engine) -> Need:
    """A need: the store takes connections."""

    def ask() -> None:
        try:
            with store.connect() as tx:
                tx.exec_driver_sql("SELECT 1")
        except exc.SQLAlchemyError as failure:
            said = str(getattr(failure, "orig", None) or failure).strip()
            if REFUSED.search(said):
                refuse(f"the store of {service} ({place(store)}) refuses its credentials")
            raise NotYet(
                f"the store of {service} ({place(store)}): {said.splitlines()[-1] if said else 'no answer'}"
            ) from failure

    return ask
