"""Probes a store on a connection and a thread of its own, to notice a hung server.

A query to a frozen server neither returns nor fails, because the kernel still accepts what is sent. A server whose
postmaster is frozen answers on existing connections and accepts no new ones. Each probe therefore sends a query on a
lasting connection, and a greeting on a new one. The greeting ends before authentication, which would cost both sides
several milliseconds of CPU time.
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
from runtime.postgres.engine import conninfo, failure_message
from runtime.startup import Need, NeedUnmet, abort_start

INTERVAL_S = 2.5
RETRY_S = 0.5
TIMEOUT_S = 2.0
HUNG_S = 6.0
"""Seconds without an answer after which a store counts as hung; its second failed probe is within 8 s."""

GREETING = struct.pack("!ii", 8, 80877104)
"""GSSENCRequest of the PostgreSQL protocol: answered with one byte. A client that leaves then is not logged."""

# Postgres gives the reason of a refused connection only as text, in English unless lc_messages says otherwise.
REFUSED = re.compile(
    r"password authentication failed|no password supplied|no pg_hba\.conf entry|not permitted to log in"
)


class StoreUnanswered(Exception):
    """The store has not answered within TIMEOUT_S, or not as Postgres does."""


class StoreProbe:
    """Probes the store of `service` every INTERVAL_S, or RETRY_S after a failure; logs its silence and its return."""

    def __init__(self, service: str, store: Engine) -> None:
        self._service = service
        self._conninfo = conninfo(store.url)
        self._address = address(store)
        self._answered_at = time.monotonic()
        self._is_logged = self._started = False
        self._connection: psycopg.Connection | None = None

    def start(self) -> None:
        """Probe in a daemon thread until the process ends."""
        self._answered_at, self._started = time.monotonic(), True
        Thread(target=self._run, name="store-probe", daemon=True).start()

    def problem(self) -> str | None:
        """Return a sentence if no probe was answered for HUNG_S; None otherwise, and before `start`.

        Any thread may call this. It never blocks, even while the probe itself hangs, as in a DNS query.
        """
        silent_s = time.monotonic() - self._answered_at
        if not self._started or silent_s <= HUNG_S:
            return None
        return f"the store of {self._service} ({self._address}) has not answered for {silent_s:.0f} s"

    def _run(self) -> None:
        while True:
            try:
                self._probe()
            except (psycopg.Error, OSError, StoreUnanswered) as failure:
                self._log_hung(failure)
                time.sleep(RETRY_S)
            else:
                self._record_answer()
                time.sleep(INTERVAL_S)

    def _probe(self) -> None:
        """Query the store and greet it. Raises psycopg.Error, OSError or StoreUnanswered if no answer comes in time."""
        is_new = self._connection is None
        connection = self._connection = self._connection or self._connect()
        try:
            _query(connection.pgconn)
            if not is_new:
                _greet(connection.pgconn)
        except (psycopg.Error, OSError, StoreUnanswered):
            self._connection = None
            connection.pgconn.finish()
            raise

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            self._conninfo,
            autocommit=True,
            connect_timeout=int(TIMEOUT_S),
            application_name=f"hookstream-{self._service}-probe",
        )

    def _log_hung(self, failure: Exception) -> None:
        if self.problem() and not self._is_logged:
            self._is_logged = True
            seconds = round(time.monotonic() - self._answered_at)
            error = type(failure).__name__
            log.error("store.silent", service=self._service, store=self._address, error=error, seconds=seconds)

    def _record_answer(self) -> None:
        if self._is_logged:
            log.info("store.answers", service=self._service, store=self._address)
        self._answered_at, self._is_logged = time.monotonic(), False


def _query(server: PGconn) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    server.send_query(b"SELECT 1")
    while server.is_busy():
        if not select.select([server.socket], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise StoreUnanswered(f"no answer within {TIMEOUT_S:g} s")
        server.consume_input()
    while (result := server.get_result()) is not None:
        if result.status != ExecStatus.TUPLES_OK:
            raise StoreUnanswered(result.error_message.decode(errors="replace").strip())


def _greet(server: PGconn) -> None:
    """Greet the same server on a new connection; a server that closes the connection is alive too."""
    host, port = server.host.decode(), int(server.port)
    if host.startswith("/"):
        greeting = socket.socket(socket.AF_UNIX)
        target: str | tuple[str, int] = f"{host}/.s.PGSQL.{port}"
    else:
        target = (server.hostaddr.decode() or host, port)
        greeting = socket.socket(socket.AF_INET6 if ":" in target[0] else socket.AF_INET)
    with greeting:
        greeting.settimeout(TIMEOUT_S)
        greeting.connect(target)
        greeting.sendall(GREETING)
        greeting.recv(1)


def address(store: Engine) -> str:
    """Return a store's host, port and database, without the role and its password."""
    return f"{store.url.host}:{store.url.port or 5432}/{store.url.database}"


def store_answers(service: str, store: Engine) -> Need:
    """Return a Need that is met once the store of `service` answers a query; refused credentials end the process."""

    def check() -> None:
        try:
            with store.connect() as tx:
                tx.exec_driver_sql("SELECT 1")
        except exc.SQLAlchemyError as failure:
            message = failure_message(failure)
            if REFUSED.search(message):
                abort_start(f"the store of {service} ({address(store)}) refuses its credentials")
            raise NeedUnmet(
                f"the store of {service} ({address(store)}): {message.splitlines()[-1] if message else 'no answer'}"
            ) from failure

    return check
