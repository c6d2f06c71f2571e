"""Events a second of the payment processor, beside the same SQL without Kafka: `python -m bench.processor`.

The processor consumes, decodes, keeps inbox, state, history and outbox, publishes facts and outcomes, stores offsets.
"""

import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from confluent_kafka import TopicPartition
from prometheus_client import REGISTRY
from sqlalchemy import Engine

from bench.load import resident_mb
from local import stack
from processors.payment.handler import TOPICS, handle
from runtime import logging
from runtime.engine import engine
from runtime.settings import StoreSettings
from stream import batch, isolation, topics
from stream.client_config import Cluster
from stream.codec import Codec
from stream.delivery import Delivery
from stream.messages import Messages
from stream.producer import PRODUCER
from stream.registry import CommittedRegistry
from stream.topics import PARTITIONS
from stream.worker import Worker
from tests.builders import a_payment

ROOT = Path(__file__).parent.parent
EVENTS = 20_000
BATCH = 1000
ROUNDS = 3
CODEC = Codec(CommittedRegistry())


def main() -> None:
    """Measure the three in turn, and print the ratios."""
    logging.configure("bench", "warning")
    with tempfile.TemporaryDirectory() as data, stack.everything(ROOT, Path(data)) as env:
        for line in (Path(data) / "env").read_text().splitlines():
            if line.startswith(("PAYMENT_PID", "NOTIFIER_PID")):  # they would work beside us
                os.kill(int(line.partition("=")[2]), signal.SIGSTOP)
        store = engine(env["PAYMENT_DATABASE_URL"], service="bench")
        settings = StoreSettings(
            kafka_bootstrap_servers=env["KAFKA_BOOTSTRAP_SERVERS"], database_url=env["PAYMENT_DATABASE_URL"]
        )
        ratios = [_round(number, settings, store) for number in range(ROUNDS)]
        print(
            f"processor / same SQL: min {min(ratios):.2f} median {statistics.median(ratios):.2f} max {max(ratios):.2f}"
        )
        print(f"memory: {resident_mb(os.getpid()):.0f} MB, the benchmark's own events included")


def _round(number: int, settings: StoreSettings, store: Engine) -> float:
    starts = _produce(f"kafka-{number}", settings)
    consumed = _rate(lambda: _consume_barely(starts, settings))
    processed = _process(settings, store)
    applied = _rate(lambda: _apply_directly(f"sql-{number}", store))
    print(f"processor {processed:6.0f}/s | same SQL {applied:6.0f}/s | bare consumer {consumed:7.0f}/s")
    return processed / applied


def _process(settings: StoreSettings, store: Engine) -> float:
    """The worker's rate, from the first batch to the last."""
    stop, before = Event(), _processed()
    worker = Worker("bench", TOPICS, handle, settings, store, CODEC)
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    began, first = 0.0, 0.0
    while (done := _processed() - before) < EVENTS:
        if done and not began:
            began, first = time.perf_counter(), done
        time.sleep(0.005)
    rate = (EVENTS - first) / (time.perf_counter() - began)
    stop.set()
    thread.join()
    return rate


def _processed() -> float:
    return REGISTRY.get_sample_value("hookstream_events_total", {"outcome": "processed"}) or 0


def _apply_directly(name: str, store: Engine) -> None:
    messages = Messages("bench", CODEC)
    for start in range(0, EVENTS, BATCH):
        deliveries = [_delivery(f"{name}-{n}", n) for n in range(start, start + BATCH)]
        with store.begin() as tx:
            batch.apply(tx, deliveries, handle, messages, isolation.together, 2.0)


def _delivery(order: str, offset: int) -> Delivery:
    webhook = a_payment(order=order, name=order, method="card", transaction_id=f"TXN-{order}")
    return Delivery(
        webhook, webhook.envelope.event_id, webhook.envelope.digest, topics.PAYMENT_WEBHOOKS.name, 0, offset, None, None
    )


def _produce(name: str, settings: StoreSettings) -> list[TopicPartition]:
    """Append the events of a round; where they begin."""
    producer = Cluster.of(settings, "bench").producer({**PRODUCER, "linger.ms": 20})
    topic = topics.PAYMENT_WEBHOOKS.name
    consumer = Cluster.of(settings, "bench").consumer("bench-ends", {})
    ends = [consumer.get_watermark_offsets(TopicPartition(topic, n))[1] for n in range(PARTITIONS)]
    consumer.close()
    for n in range(EVENTS):
        webhook = a_payment(order=f"{name}-{n}", name=f"{name}-{n}", method="card", transaction_id=f"TXN-{name}-{n}")
        producer.produce(topic, CODEC.encode(webhook), f"{name}-{n}".encode())
        producer.poll(0)
    producer.flush()
    return [TopicPartition(topic, n, end) for n, end in enumerate(ends)]


def _consume_barely(starts: list[TopicPartition], settings: StoreSettings) -> None:
    consumer = Cluster.of(settings, "bench").consumer("bench-bare", {})
    consumer.assign(starts)
    read = 0
    while read < EVENTS:
        read += len(consumer.consume(BATCH, 0.1))
    consumer.close()


def _rate(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return EVENTS / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
