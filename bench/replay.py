"""Events a second of a replay, beside a bare consumer and COPY of the final rows: `python -m bench.replay [EVENTS]`.

The history has disorder, duplicates, and payments that wait under their provider's name for an order.
"""

import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from confluent_kafka import Consumer, TopicPartition

from bench.load import cpu_seconds
from local import stack
from processors.payment.handler import TOPICS
from stream.replay import ends
from tests.log import writer
from tests.replays import a_history, append, start

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
        spans = ends.spans(env["KAFKA_BOOTSTRAP_SERVERS"], TOPICS)
        count = sum(span.end - span.first for span in spans.values())
        replayed, cpu, memory = _replay(system)
        read = _read(env["KAFKA_BOOTSTRAP_SERVERS"], spans, count)
        copied = _copy(env["PAYMENT_DATABASE_URL"])
        for name, seconds in (("replay", replayed), ("bare consumer", read), ("COPY of the final rows", copied)):
            print(f"{name:24} {seconds:7.1f} s {count / seconds:9,.0f} events/s")
        print(f"replay / slower limit: {max(read, copied) / replayed:.2f}; memory at most {memory:.0f} MB")
        print(
            f"CPU of the replaying process: {cpu / count * 1e6:.0f} us an event, so at most {count / cpu:,.0f} a second"
        )


WORKERS = ("PAYMENT", "SHIPPING", "REFUND", "SUBSCRIPTION", "INVOICE", "NOTIFIER", "CONSOLE", "CONFIRMER", "GATEWAY")


def _replay(system: dict[str, str]) -> tuple[float, float, float]:
    """Seconds from start to end of the process, its start included; its CPU seconds; its most memory, in MB."""
    began = time.perf_counter()
    process = start(system, "payment", "replay", "--into", NAME)
    peak = cpu = 0.0
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak = max(peak, float(status.partition("VmHWM:")[2].split()[0]) / 1000 if "VmHWM" in status else 0.0)
        cpu = cpu_seconds(process.pid)
        time.sleep(0.1)
    if process.returncode:
        sys.exit(process.communicate()[1])
    return time.perf_counter() - began, cpu, peak


def _read(bootstrap_servers: str, spans: dict[tuple[str, int], ends.Span], count: int) -> float:
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "bench-bare"})
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
