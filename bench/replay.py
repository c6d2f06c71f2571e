"""Events a second of a replay, beside a bare consumer and COPY of the final rows: `python -m bench.replay [EVENTS]`.

The history has disorder, duplicates, and payments that wait under their provider's name for an order.
"""

import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import psycopg
from confluent_kafka import TopicPartition

from local import stack
from processors.payment.handler import TOPICS
from stream.client_config import Cluster
from stream.replay import ends
from tests.log import writer
from tests.replays import a_history, append, ask

ROOT = Path(__file__).parent.parent
EVENTS = 100_000
EVENTS_AN_ORDER = 2.7
NAME = "r_bench"
TABLES = ("orders", "payments", "transactions", '"references"', "payment_history", "inbox")


def main(events: int) -> None:
    """Measure the three, one after the other, and print the ratio to the slower limit."""
    with tempfile.TemporaryDirectory() as data, stack.everything(ROOT, Path(data)) as env:
        system = {**env, "RUN_FOLDER": data}
        for line in (Path(data) / "env").read_text().splitlines():
            if line.endswith(tuple("0123456789")) and line.partition("_PID=")[0] in WORKERS:
                os.kill(int(line.partition("=")[2]), signal.SIGSTOP)  # they would work beside us
        log = writer(system)
        for act in a_history("bench", int(events / EVENTS_AN_ORDER)):
            append(log, act)
        cluster = Cluster.of_environment(env, "bench")
        spans = ends.spans(cluster, TOPICS)
        count = sum(span.end - span.first for span in spans.values())
        replayed, cpu, memory = _replay(system)
        read = _read(cluster, spans, count)
        copied = _copy(env["PAYMENT_DATABASE_URL"])
        for name, seconds in (("replay", replayed), ("bare consumer", read), ("COPY of the final rows", copied)):
            print(f"{name:24} {seconds:7.1f} s {count / seconds:9,.0f} events/s")
        print(f"replay / slower limit: {max(read, copied) / replayed:.2f}; memory at most {memory:.0f} MB")
        print(f"CPU of the replaying process, its start included: {cpu / count * 1e6:.0f} us an event")


WORKERS = ("PAYMENT", "SHIPPING", "REFUND", "SUBSCRIPTION", "INVOICE", "NOTIFIER", "CONSOLE", "CONFIRMER", "GATEWAY")


def _replay(system: dict[str, str]) -> tuple[float, float, float]:
    """Seconds from start to end, its start included; its CPU seconds; its most memory, in MB."""
    before, began = getrusage(RUSAGE_CHILDREN), time.perf_counter()
    ask(system, "payment", "replay", "--into", NAME)
    seconds, after = time.perf_counter() - began, getrusage(RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu, after.ru_maxrss / 1000


def _read(cluster: Cluster, spans: dict[tuple[str, int], ends.Span], count: int) -> float:
    consumer = cluster.consumer("bench-bare", {})
    consumer.assign([TopicPartition(*where, span.first) for where, span in spans.items()])
    began, read = time.perf_counter(), 0
    while read < count:
        read += len(consumer.consume(1000, 0.1))
    consumer.close()
    return time.perf_counter() - began


def _copy(database_url: str) -> float:
    """Into tables with the same keys and indexes."""
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE SCHEMA copied")
        kept = {}
        for table in TABLES:
            with connection.cursor().copy(f"COPY {NAME}.{table} TO STDOUT (FORMAT binary)".encode()) as out:
                kept[table] = b"".join(bytes(part) for part in out)
            connection.execute(f"CREATE TABLE copied.{table} (LIKE {NAME}.{table} INCLUDING ALL)".encode())
        connection.commit()
        began = time.perf_counter()
        for table, rows in kept.items():
            with connection.cursor().copy(f"COPY copied.{table} FROM STDIN (FORMAT binary)".encode()) as into:
                into.write(rows)
        connection.commit()
        return time.perf_counter() - began


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS)
