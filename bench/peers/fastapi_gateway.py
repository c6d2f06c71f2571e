"""A peer for the whole way, as most people would write it: FastAPI → Kafka → FastStream → Postgres and mails."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from confluent_kafka.cimpl import NewTopic

from bench.rig import system
from bench.rig.requests import signed
from bench.rig.system import Sink, System
from bench.rig.trial import RowKey
from simulator.story import SimulatedWebhook
from stream.kafka.cluster import Cluster

FOLDER = Path(__file__).parent
VENV = FOLDER / ".venv"
LOCK = FOLDER / "requirements.lock"
KINDS = ("order", "payment", "shipping", "refund")
PARTITIONS = 3
TABLES = {"payment": "peer_payments", "shipping": "peer_shipments", "refund": "peer_refunds"}
ORDERS = """
SELECT order_id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM {} WHERE order_id LIKE %s
"""


def python() -> Path:
    """Return the peers' Python with the packages of requirements.lock; create it when missing or outdated."""
    done = VENV / "complete"
    if not done.exists() or done.stat().st_mtime < LOCK.stat().st_mtime:
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
        pip = (VENV / "bin/python", "-m", "pip")
        subprocess.run([*pip, "install", "--quiet", "--require-hashes", "-r", LOCK], check=True)
        done.touch()
    return VENV / "bin/python"


class FastApiPeer:
    """A running peer: a `bench.rig.trial.Side` that has no ages of unprocessed records."""

    def __init__(self, base: System, port: int, pids: Mapping[str, int]) -> None:
        self._base, self._own = base, dict(pids)
        self.port = port
        self.sink: Sink = base.sink

    @property
    def pids(self) -> dict[str, int]:
        return {name: self._base.pids[name] for name in ("kafka", "postgres")} | self._own

    def request(self, webhook: SimulatedWebhook) -> bytes:
        return signed(webhook, self._base.env["WEBHOOK_SECRET"].encode())

    def mail_id(self, webhook: SimulatedWebhook) -> str | None:
        return f"{webhook.rows[0].service}.{webhook.order_id}".lower() if webhook.mails else None

    def row_key(self, webhook: SimulatedWebhook) -> RowKey | None:
        return (webhook.rows[0].service, webhook.order_id) if webhook.rows else None

    def commits(self, run: str) -> dict[RowKey, float]:
        with psycopg.connect(self._base.env["PAYMENT_DATABASE_URL"]) as connection:
            return {
                (kind, order_id): at
                for kind, table in TABLES.items()
                for order_id, at in connection.execute(ORDERS.format(table).encode(), [f"SIM-{run}-%"])
            }

    def ages(self) -> dict[str, float]:
        return {}


@contextmanager
def running() -> Iterator[FastApiPeer]:
    """Run Kafka, Postgres and the peer's two processes, gateway and consumer, during the block.

    Raises RuntimeError at the end of the block if one of the two has ended by itself.
    """
    interpreter, port = python(), system.free_port()
    with system.system(services=False) as base:
        create_topics(base.env)
        _create_tables(base.env)
        env = {**os.environ, **base.env, "DATABASE_URL": base.env["PAYMENT_DATABASE_URL"]}
        with (
            _process(interpreter, gateway_arguments(port), env, base.data) as front,
            _process(interpreter, ("-m", "consumer"), env, base.data) as back,
        ):
            system.until_listening(port)
            yield FastApiPeer(base, port, {"gateway": front.pid, "consumer and mails": back.pid})


@contextmanager
def _process(
    interpreter: Path, argv: tuple[str, ...], env: Mapping[str, str], folder: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    with (folder / f"{argv[1]}.log").open("wb") as log:
        process = subprocess.Popen([interpreter, *argv], cwd=FOLDER, env=env, stdout=log, stderr=log)
        try:
            yield process
            if process.poll() is not None:
                raise RuntimeError(f"{argv[1]} of the peer ended: {Path(log.name).read_text()[-2000:]}")
        finally:
            process.terminate()
            process.wait()


def gateway_arguments(port: int) -> tuple[str, ...]:
    """Return Python's arguments that serve peers/gateway.py. Uvicorn uses uvloop and httptools where installed."""
    return ("-m", "uvicorn", "gateway:app", "--port", str(port), "--log-level", "warning", "--no-access-log")


def create_topics(env: Mapping[str, str]) -> None:
    """Create the peers' topics, with as many partitions as a small shop has."""
    admin = Cluster.of_environment(env, "bench").admin()
    made = admin.create_topics([NewTopic(f"peer.{kind}", PARTITIONS, 1) for kind in KINDS])
    for future in made.values():
        future.result()


def _create_tables(env: Mapping[str, str]) -> None:
    with psycopg.connect(env["PAYMENT_DATABASE_URL"]) as connection:
        connection.execute((FOLDER / "tables.sql").read_bytes())
