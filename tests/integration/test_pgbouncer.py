"""Three replicas of a processor behind PgBouncer in transaction pooling, under load: nothing lost, nothing double."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from stream.events import topics
from stream.events.topics import PARTITIONS
from stream.store.schema import migrate
from tests.actors import Store, new_order, until
from tests.builders import a_payment
from tests.log import CODEC, reading, writer
from tests.ports import free_port
from tests.replicas import replicas_of

TOPICS = topics.service("payment").reads

POOLER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
LOAD = 600
TIMEOUTS = "SELECT name, setting FROM pg_settings WHERE name IN ('statement_timeout', 'lock_timeout')"
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(POOLER is None, reason="pgbouncer is not installed (Debian: apt install pgbouncer)"),
]


@pytest.fixture(scope="module")
def pooled(system: dict[str, str]) -> Iterator[str]:
    """The payment store's URL through a pooler."""
    with pgbouncer(system["PAYMENT_DATABASE_URL"]) as url:
        yield url


def test_three_replicas_behind_a_pooler_apply_every_event_once(pooled: str, system: dict[str, str]) -> None:
    payments, log, run = Store(system["PAYMENT_DATABASE_URL"]), writer(system), new_order()
    orders = [f"{run}-{number}" for number in range(LOAD)]
    pooling = {"DATABASE_URL": pooled, "DATABASE_PREPARE": "off", "DIRECT_DATABASE_URL": payments.url}
    migrate.upgrade("processors.payment", payments.url)

    with replicas_of(system, "payment", len(TOPICS)) as replicas, reading(system, topics.PAYMENTS) as published:
        three = [replicas.join(**pooling) for _ in range(3)]
        until(lambda: [replica.owns() for replica in three], lambda owned: owned == [len(TOPICS) * PARTITIONS // 3] * 3)
        for order in [*orders, *orders[: LOAD // 10]]:
            event = CODEC.encode(a_payment(order=order, name=order))
            log.producer.produce(topics.PAYMENT_WEBHOOKS.name, event, order.encode())
            log.producer.poll(0)
        assert log.producer.flush(30) == 0
        count = "SELECT count(*) AS n, count(DISTINCT order_id) AS orders FROM payment_history WHERE order_id LIKE %s"
        until(lambda: payments.rows(count, f"{run}-%")[0]["orders"], lambda n: n == LOAD, 120)
        published.wait_until(lambda events: len({f.event_id for f in events if f.order_id.startswith(run)}) == LOAD)
        until(lambda: [replica.is_ready() for replica in three], all)
        assert payments.rows(count, f"{run}-%") == [{"n": LOAD, "orders": LOAD}]
        assert [line for replica in three for line in replica.lines("store.failed")] == []
        assert payments.rows("SELECT 1 FROM retries WHERE convert_from(key, 'UTF8') LIKE %s", f"{run}-%") == []


def test_the_role_brings_the_timeouts_that_a_pooled_connection_cannot_set(pooled: str, system: dict[str, str]) -> None:
    migrate.upgrade("processors.payment", system["PAYMENT_DATABASE_URL"])

    with psycopg.connect(pooled, prepare_threshold=None) as connection:
        assert dict(connection.execute(TIMEOUTS).fetchall()) == {"statement_timeout": "20000", "lock_timeout": "5000"}


@contextmanager
def pgbouncer(url: str) -> Iterator[str]:
    """The same database through a PgBouncer that gives a connection to whoever has a transaction."""
    server, port = urlsplit(url), free_port()
    folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
    folder.chmod(0o755)
    name = server.path.lstrip("/")
    (folder / "users.txt").write_text(f'"{server.username}" "{server.password}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"""
[databases]
{name} = host={server.hostname} port={server.port} dbname={name}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = 3
"""
    )
    argv = [POOLER or "", *(["-u", "nobody"] if os.geteuid() == 0 else []), str(folder / "pgbouncer.ini")]
    process = subprocess.Popen(argv, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    through = server._replace(netloc=f"{server.username}:{server.password}@127.0.0.1:{port}").geturl()
    try:
        until(lambda: _answers(through), bool)
        yield through
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
