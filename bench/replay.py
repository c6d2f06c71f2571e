"""Events a second of a payment replay, beside a bare consumer and COPY of the final rows: `python -m bench.replay`.

The history has disorder, duplicates, and payments that wait under an alias for their order. It is replayed by one
process and by one process per core; `--at PATH` adds a replay with the code of another checkout. The rows of all
replays must be equal. Times include the start of the replaying process.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from confluent_kafka import TopicPartition

from bench import cost
from bench.rig import figures, system
from bench.rig.figures import Figure
from local import services
from local.paths import Paths
from stream.events import topics
from stream.kafka.cluster import Cluster
from stream.replay import offsets as ends
from tests.log import writer
from tests.replays import SERVICES, a_history, append

TOPICS = topics.service("payment").reads

ROOT = Path(__file__).parent.parent
EVENTS, QUICK_EVENTS = 100_000, 30_000
EVENTS_AN_ORDER = 2.7
TABLES = ("orders", "payments", "transactions", "aliases", "payment_history", "inbox")
AT = "--at"
DIGEST = """
SELECT count(*) || ' ' || coalesce(md5(string_agg(row_text, '' ORDER BY row_text)), '')
  FROM (SELECT (to_jsonb(r) - '{{created_at,updated_at,handled_at,waiting_since,outcome}}'::text[])::text AS row_text
          FROM {schema}.{table} AS r) AS rows
"""
"""A digest of a table. It omits the times of writing and the outcome, which depends on the order of partitions."""


@dataclass(frozen=True, slots=True)
class Run:
    """One replay: seconds, CPU seconds of its processes and of Postgres, and MB of its largest process."""

    seconds: float
    own_cpu: float
    postgres_cpu: float
    memory_mb: float


def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the interface of all benchmarks
    """Replay the same history with one process and with several, and compare the rows."""
    with system.system() as running, system.paused(running):
        env = running.env | {"RUN_FOLDER": str(running.data)}
        log = writer(env)
        for action in a_history("bench", int((QUICK_EVENTS if quick else EVENTS) / EVENTS_AN_ORDER)):
            append(log, action)
        cluster = Cluster.of_environment(env, "bench")
        ranges = ends.offset_ranges(cluster, TOPICS)
        count = sum(range_.end - range_.first for range_ in ranges.values())
        cores = len(os.sched_getaffinity(0))
        other = Path(sys.argv[sys.argv.index(AT) + 1]) if AT in sys.argv else None
        runs = {"other checkout": _replay(running, env, "r_other", 1, other)} if other else {}
        runs |= {f"{n} process{'es' * (n > 1)}": _replay(running, env, f"r_{n}", n, ROOT) for n in sorted({1, cores})}
        _check(env["PAYMENT_DATABASE_URL"], [f"r_{n}" for n in {1, cores}] + ["r_other"] * bool(other))
        peers = {
            "bare consumer": count / _read(cluster, ranges, count),
            "COPY of the final rows": count / _copy(env["PAYMENT_DATABASE_URL"], "r_1"),
        }
        return [figure for name, run in runs.items() for figure in _figures(name, run, count, peers)]


def _figures(name: str, run: Run, count: int, peers: Mapping[str, float]) -> list[Figure]:
    cpu = (run.own_cpu + run.postgres_cpu) / count * 1e6
    own = f"{run.own_cpu / count * 1e6:.0f} its own, the rest Postgres"
    return [
        Figure(f"replay, {name}", count / run.seconds, "events/s", "≥ 15,000", peers, note=f"{count:,} events"),
        Figure(f"replay, {name}: CPU", cpu, "µs an event", note=own),
        Figure(f"replay, {name}: memory", run.memory_mb, "MB", note="the most of one process"),
    ]


def _replay(running: system.System, env: Mapping[str, str], schema: str, processes: int, at: Path) -> Run:
    program = services.program(SERVICES["payment"], Paths(at, Path(env["RUN_FOLDER"])), env)
    python = at / ".venv/bin/python"
    argv = [str(python if python.exists() else sys.executable), *program.argv[1:], "replay", "--into", schema]
    postgres = {"postgres": running.pids["postgres"]}
    before, began = cost.trees(postgres)["postgres"], time.perf_counter()
    process = subprocess.Popen(argv, cwd=at, env={**program.env, "REPLAY_PROCESSES": str(processes)})
    _, status, used = os.wait4(process.pid, 0)
    if process_code := os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"the replay into {schema} ended with exit code {process_code}")
    return Run(
        time.perf_counter() - began,
        used.ru_utime + used.ru_stime,
        cost.trees(postgres)["postgres"] - before,
        used.ru_maxrss * 1024 / cost.MB,
    )


def _check(database_url: str, schemas: list[str]) -> None:
    """Raise RuntimeError unless all schemas have the same rows, by DIGEST."""
    with psycopg.connect(database_url) as connection:
        for table in TABLES:
            statements = [DIGEST.format(schema=schema, table=table).encode() for schema in schemas]
            found = {connection.execute(statement).fetchone() for statement in statements}
            if len(found) > 1:
                raise RuntimeError(f"{table} differs between {', '.join(schemas)}: {found}")


def _read(cluster: Cluster, ranges: Mapping[tuple[str, int], ends.OffsetRange], count: int) -> float:
    consumer = cluster.consumer("bench-bare", {})
    consumer.assign([TopicPartition(*partition, range_.first) for partition, range_ in ranges.items()])
    began, read = time.perf_counter(), 0
    while read < count:
        read += len(consumer.consume(1000, 0.1))
    consumer.close()
    return time.perf_counter() - began


def _copy(database_url: str, schema: str) -> float:
    """Copy the rows of a schema into new tables with the same keys and indexes; return the seconds of the writing."""
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE SCHEMA copied")
        copies = {}
        for table in TABLES:
            with connection.cursor().copy(f"COPY {schema}.{table} TO STDOUT (FORMAT binary)".encode()) as out:
                copies[table] = b"".join(bytes(part) for part in out)
            connection.execute(f"CREATE TABLE copied.{table} (LIKE {schema}.{table} INCLUDING ALL)".encode())
        connection.commit()
        began = time.perf_counter()
        for table, rows in copies.items():
            with connection.cursor().copy(f"COPY copied.{table} FROM STDIN (FORMAT binary)".encode()) as into:
                into.write(rows)
        connection.commit()
        return time.perf_counter() - began


if __name__ == "__main__":
    figures.main(measure)
