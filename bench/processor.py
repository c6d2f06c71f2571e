"""Events a second of the payment processor, beside the same SQL without Kafka: `python -m bench.processor [--quick]`.

The processor consumes and decodes, writes inbox, state, history and outbox, publishes domain events and outcomes, and
stores offsets.
"""

import os
import re
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from confluent_kafka import TopicPartition
from prometheus_client import REGISTRY
from sqlalchemy import Engine

from bench.rig import figures, system
from bench.rig.figures import Figure
from processors.payment.handler import handle
from runtime import logging
from runtime.config.worker_settings import WorkerSettings
from runtime.postgres.engine import engine
from stream.avro.codec import Codec
from stream.avro.registry import CommittedRegistry
from stream.events import topics
from stream.events.topics import PARTITIONS, ServiceTopics
from stream.kafka.cluster import Cluster
from stream.kafka.delivery import Delivery
from stream.kafka.producer import PRODUCER
from stream.worker import batch, bisection
from stream.worker.handler import of_records
from stream.worker.loop import Worker
from stream.worker.publishing.messages import Messages
from tests.builders import a_payment

EVENTS, ROUNDS = 20_000, 3
QUICK_EVENTS, QUICK_ROUNDS = 8_000, 1
BATCH = 1000
CODEC = Codec(CommittedRegistry())


def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the interface of all benchmarks
    """Measure processor, SQL and bare consumer in turn, in rounds; before them, the checkout in BEFORE if it is set."""
    logging.configure("bench", "warning")
    events = QUICK_EVENTS if quick else EVENTS
    before = _other_checkout(Path(os.environ["BEFORE"])) if os.environ.get("BEFORE") else {}
    with system.system() as started, system.paused(started):
        env = started.env
        store = engine(env["PAYMENT_DATABASE_URL"], service="bench")
        settings = WorkerSettings(
            kafka_bootstrap_servers=env["KAFKA_BOOTSTRAP_SERVERS"], database_url=env["PAYMENT_DATABASE_URL"]
        )
        rounds = [_round(f"{number}", settings, store, events) for number in range(QUICK_ROUNDS if quick else ROUNDS)]
    median = {name: statistics.median(round_[name] for round_ in rounds) for name in rounds[0]}
    return [
        Figure(
            "events a second of one processor",
            median["processor"],
            "/s",
            "≥ 8,000: 2 x what it did",
            {"same SQL, no Kafka": median["same SQL"], "bare consumer": median["bare consumer"], **before},
            [round_["processor"] for round_ in rounds],
        ),
        Figure("CPU of an event in Python", median["cpu"], "us", rounds=[round_["cpu"] for round_ in rounds]),
    ]


def _other_checkout(at: Path) -> dict[str, float]:
    """Run the benchmark of another checkout and return the events a second that it prints."""
    argv = (str(at / ".venv/bin/python"), "-m", "bench.processor")
    environment = {name: value for name, value in os.environ.items() if name != "BEFORE"}  # or it would run itself too
    printed = subprocess.run(argv, cwd=at, env=environment, capture_output=True, text=True, check=True).stdout
    return {"before": statistics.median(float(rate) for rate in re.findall(r"processor +(\d+)/s", printed))}


def _round(name: str, settings: WorkerSettings, store: Engine, events: int) -> dict[str, float]:
    starts = _produce(f"kafka-{name}", settings, events)
    consumed = _rate(lambda: _consume_barely(starts, settings, events), events)
    processed, cpu = _process(settings, store, events)
    applied = _rate(lambda: _apply_directly(f"sql-{name}", store, events), events)
    print(
        f"processor {processed:6.0f}/s | CPU {cpu:4.0f} us an event"
        f" | same SQL {applied:6.0f}/s | bare consumer {consumed:7.0f}/s"
    )
    return {"processor": processed, "cpu": cpu, "same SQL": applied, "bare consumer": consumed}


def _process(settings: WorkerSettings, store: Engine, events: int) -> tuple[float, float]:
    """Run the payment processor in this process until it has processed `events` events.

    Return events a second and CPU per event in microseconds, from the first batch to the last. CPU is of Python only.
    """
    stop, before = Event(), _processed()
    worker = Worker(
        ServiceTopics("bench", "bench", topics.service("payment").reads), of_records(handle), settings, store, CODEC
    )
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    began, cpu, first = 0.0, 0.0, 0.0
    while (done := _processed() - before) < events:
        if done and not began:
            began, cpu, first = time.perf_counter(), time.process_time(), done
        time.sleep(0.005)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    stop.set()
    thread.join()
    return (events - first) / seconds, cpu / (events - first) * 1e6


def _processed() -> float:
    return REGISTRY.get_sample_value("hookstream_events_total", {"outcome": "processed"}) or 0


def _apply_directly(name: str, store: Engine, events: int) -> None:
    messages = Messages("bench", CODEC)
    for start in range(0, events, BATCH):
        deliveries = [_delivery(f"{name}-{n}", n) for n in range(start, start + BATCH)]
        with store.begin() as tx:
            batch.apply(tx, deliveries, of_records(handle), messages, bisection.together, 2.0)


def _delivery(order: str, offset: int) -> Delivery:
    webhook = a_payment(order=order, name=order, method="card", transaction_id=f"TXN-{order}")
    return Delivery(
        webhook, webhook.envelope.event_id, webhook.envelope.digest, topics.PAYMENT_WEBHOOKS.name, 0, offset, None, None
    )


def _produce(name: str, settings: WorkerSettings, events: int) -> list[TopicPartition]:
    """Append the events of a round; return by partition the offset at which they begin."""
    producer = Cluster.of(settings, "bench").producer({**PRODUCER, "linger.ms": 20})
    topic = topics.PAYMENT_WEBHOOKS.name
    consumer = Cluster.of(settings, "bench").consumer("bench-ends", {})
    ends = [consumer.get_watermark_offsets(TopicPartition(topic, n))[1] for n in range(PARTITIONS)]
    consumer.close()
    for n in range(events):
        webhook = a_payment(order=f"{name}-{n}", name=f"{name}-{n}", method="card", transaction_id=f"TXN-{name}-{n}")
        producer.produce(topic, CODEC.encode(webhook), f"{name}-{n}".encode())
        producer.poll(0)
    producer.flush()
    return [TopicPartition(topic, n, end) for n, end in enumerate(ends)]


def _consume_barely(starts: list[TopicPartition], settings: WorkerSettings, events: int) -> None:
    consumer = Cluster.of(settings, "bench").consumer("bench-bare", {})
    consumer.assign(starts)
    read = 0
    while read < events:
        read += len(consumer.consume(BATCH, 0.1))
    consumer.close()


def _rate(work: Callable[[], None], events: int) -> float:
    began = time.perf_counter()
    work()
    return events / (time.perf_counter() - began)


if __name__ == "__main__":
    figures.main(measure)
