"""A Postgres falls back to a standby that lost its last transactions: the service reads again what is missing.

The payment processor works on two Postgres of this test's own, behind a relay that stands for the address that a
failover moves.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from local.parts import postgres_home
from local.paths import Paths
from local.services import SERVICES, program
from stream.events import topics
from tests.actors import Inbox, Shop, Store, new_order, until
from tests.ports import free_port
from tests.proxy import proxy
from tests.replicas import ROOT, replicas_of

TOPICS = topics.service("payment").reads

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
COUNT = 12
COMES_S = 60.0
NUMBER = "SELECT count(*) AS n FROM payments WHERE order_id = ANY (%s)"

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not BINARIES, reason="no Postgres of the system's is here"),
]


@dataclass
class Postgres:
    """A server of its own, which trusts whoever is on this machine."""

    data: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/payment"

    def run(self, name: str, *argv: str) -> None:
        command = [str(BINARIES[-1] / name), *argv]
        done = subprocess.run(
            command, user=postgres_home.unprivileged_user() or None, cwd="/", env={"PATH": os.environ["PATH"]},
            check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        self.run("pg_ctl", "start", "--wait", "-D", str(self.data), "-o", options, "-l", f"{self.data}.log")

    def end(self) -> None:
        """At once, as when its machine is lost."""
        with suppress(AssertionError):
            self.run("pg_ctl", "stop", "--mode=immediate", "-D", str(self.data))

    def say(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def pair(system: dict[str, str]) -> Iterator[tuple[Postgres, Postgres]]:
    """A primary with a migrated store, and its streaming standby."""
    folder = Path(tempfile.mkdtemp())
    if user := postgres_home.unprivileged_user():
        shutil.chown(folder, user)
    primary, standby = Postgres(folder / "primary", free_port()), Postgres(folder / "standby", free_port())
    try:
        primary.run(
            "initdb", "-D", str(primary.data), "--auth=trust", "--encoding=UTF8", "--username=postgres", "--no-sync"
        )
        primary.start()
        primary.run("createdb", "-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres", "payment")
        migrate(system, primary)
        source = f"host=127.0.0.1 port={primary.port} user=postgres"
        primary.run("pg_basebackup", "-d", source, "-D", str(standby.data), "-R", "-X", "stream", "--checkpoint=fast")
        standby.start()
        yield primary, standby
    finally:
        for server in (primary, standby):
            server.end()
        shutil.rmtree(folder)


def test_a_standby_that_lost_its_last_transactions_has_all_rows_again_and_nobody_is_mailed_twice(
    system: dict[str, str], shop: Shop, inbox: Inbox
) -> None:
    early, lost = ([new_order() for _ in range(COUNT)] for _ in range(2))
    with (
        pair(system) as (primary, standby),
        proxy("127.0.0.1", primary.port) as address,
        replicas_of(system, "payment", topics=len(TOPICS)) as processors,
    ):
        store = f"postgresql://postgres@127.0.0.1:{address.port}/payment"
        replica = processors.only(DATABASE_URL=store)
        pay(shop, early)
        Store(standby.url).wait_for(f"SELECT 1 FROM ({NUMBER}) AS found WHERE n = {COUNT}", early)
        standby.say("ALTER SYSTEM SET primary_conninfo = ''")
        standby.say("SELECT pg_reload_conf()")
        until(lambda: Store(standby.url).rows("SELECT 1 FROM pg_stat_wal_receiver"), lambda rows: not rows)
        pay(shop, lost)
        Store(primary.url).wait_for(f"SELECT 1 FROM ({NUMBER}) AS found WHERE n = {COUNT}", lost)
        for order in lost:
            assert len(inbox.wait_for(f"{order.lower()}@example.test")) == 1

        primary.end()
        standby.say("SELECT pg_promote()")
        assert Store(standby.url).rows(NUMBER, lost) == [{"n": 0}]
        address.server = ("127.0.0.1", standby.port)

        both = Store(standby.url)
        until(lambda: both.rows(NUMBER, early + lost), lambda rows: rows == [{"n": 2 * COUNT}], COMES_S)
        replica.wait_for("store.rewound")
        until(replica.is_ready, bool, COMES_S)
        rows = both.rows("SELECT status, version FROM payments WHERE order_id = ANY (%s)", early + lost)
        assert rows == [{"status": "completed", "version": 1}] * 2 * COUNT
        until(lambda: both.rows("SELECT count(*) AS n FROM outbox"), lambda left: left == [{"n": 0}], COMES_S)
        for order in early + lost:
            assert len(inbox.mails_to(f"{order.lower()}@example.test")) == 1


def migrate(system: dict[str, str], server: Postgres) -> None:
    (payment,) = (one for one in SERVICES if one.name == "payment")
    env = {**program(payment, Paths(ROOT, Path(system["RUN_FOLDER"])), system).env, "DATABASE_URL": server.url}
    command = [sys.executable, "-m", "processors.payment", "migrate"]
    done = subprocess.run(command, cwd=ROOT, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def pay(shop: Shop, orders: list[str]) -> None:
    for order in orders:
        shop.post("order", {"orderId": order, "customerEmail": f"{order.lower()}@example.test"})
        assert shop.post("payment", {"orderId": order, "status": "completed", "amount": 58000}).status == 200
