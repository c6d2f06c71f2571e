"""Mails a second through the notifier's sender, and its CPU per mail: `python -m bench.mails [--quick]`.

The mail server stores each mail before it answers (bench/rig/sink.py). One connection is compared with the default of
MAIL_CONNECTIONS in the same run.
"""

import statistics
import time
from collections.abc import Sequence
from threading import Event

from prometheus_client import REGISTRY

from bench import cost
from bench.rig import figures
from bench.rig.figures import Figure
from bench.rig.system import System, system
from notifier.handler import handle
from notifier.sending.housekeeping import Housekeeping
from notifier.sending.sender import Sender
from notifier.settings import NotifierSettings
from runtime import clock, logging
from runtime.postgres.engine import engine
from stream.avro.codec import Codec
from stream.avro.registry import CommittedRegistry
from stream.events import EventId, Micros, OrderId, OrderWebhook, PaymentCompleted, ids
from stream.kafka import admin
from stream.kafka.cluster import Cluster
from stream.store.schema import migrate
from tests.builders import an_order

MAILS, ROUNDS = 3000, 3
MAILS_QUICK, ROUNDS_QUICK = 800, 1
BATCH = 200
TIMEOUT_S = 120.0
CODEC = Codec(CommittedRegistry())


def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the benchmarks' interface
    """Queue mails and measure the sender while it empties the queue, with one connection and with the default."""
    logging.configure("bench", "warning")
    with system(services=False) as running:
        migrate.upgrade("notifier", running.env["NOTIFIER_DATABASE_URL"])
        admin.create_all(Cluster.of_environment(running.env, "bench"))
        rounds, mails = (ROUNDS_QUICK, MAILS_QUICK) if quick else (ROUNDS, MAILS)
        _send(running, NotifierSettings.model_fields["mail_connections"].default, 100, "warm")
        single, default = [], []
        for number in range(rounds):
            single.append(_send(running, 1, mails // 4, f"one-{number}"))
            width = NotifierSettings.model_fields["mail_connections"].default
            default.append(_send(running, width, mails, f"all-{number}"))
        return _figures(single, default)


def _figures(single: Sequence[tuple[float, ...]], default: Sequence[tuple[float, ...]]) -> list[Figure]:
    names = ("mails", "mails, CPU of the notifier", "mails, CPU of Postgres", "mails, CPU of queueing one")
    units, goals = ("/s", "ms", "ms", "ms"), ("≥ 200", "≤ 2.5", "", "")
    return [
        Figure(
            name,
            statistics.median(values),
            unit,
            goal,
            peers={"one connection": statistics.median(one)},
            rounds=values,
        )
        for name, unit, goal, values, one in zip(
            names, units, goals, zip(*default, strict=True), zip(*single, strict=True), strict=True
        )
    ]


def _send(running: System, connections: int, mails: int, name: str) -> tuple[float, float, float, float]:
    """Return mails a second, and milliseconds of CPU per mail: of the sender, of Postgres, of the handler before it.

    Raises TimeoutError when the mails are not sent within TIMEOUT_S.
    """
    settings = NotifierSettings(
        database_url=running.env["NOTIFIER_DATABASE_URL"],
        kafka_bootstrap_servers=running.env["KAFKA_BOOTSTRAP_SERVERS"],
        smtp_url=running.sink.url,
        mail_from="My Shop <shop@example.test>",
        mail_connections=connections,
    )
    store = engine(settings.database_url, service="bench")
    began_queueing = time.process_time()
    for start in range(0, mails, BATCH):
        with store.begin() as tx:
            events = [event for n in range(start, min(start + BATCH, mails)) for event in _paid_order(f"{name}-{n}")]
            handle(tx, events, operator=None, max_age_s=settings.mail_max_age)
    queueing = time.process_time() - began_queueing
    sender, stop = Sender(settings, store, CODEC), Event()
    postgres, sent = {"postgres": running.pids["postgres"]}, _sent()
    of_postgres, cpu, began = cost.trees(postgres)["postgres"], time.process_time(), time.perf_counter()
    threads = sender.start(stop), Housekeeping(settings, store).start(stop)
    while _sent() - sent < mails:
        time.sleep(0.01)
        if time.perf_counter() - began > TIMEOUT_S:
            raise TimeoutError(f"{_sent() - sent:.0f} of {mails} mails were sent in {TIMEOUT_S:.0f} s")
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    of_postgres = cost.trees(postgres)["postgres"] - of_postgres
    stop.set()
    sender.new_mail.set()
    for thread in threads:
        thread.join()
    store.dispose()
    return mails / seconds, cpu / mails * 1000, of_postgres / mails * 1000, queueing / mails * 1000


def _sent() -> float:
    return REGISTRY.get_sample_value("hookstream_mail_sends_total", {"result": "sent"}) or 0


def _paid_order(name: str) -> tuple[OrderWebhook, PaymentCompleted]:
    order, at = OrderId(f"O-{name}"), clock.now()
    event = PaymentCompleted(
        event_id=ids.domain_event_id("PaymentCompleted", order, str(at)),
        caused_by=EventId(ids.uuid5(order)),
        mode="test",
        occurred_at=Micros(at),
        received_at=Micros(at),
        order_id=order,
        customer_id=f"C-{name}",
        contact=None,
        amount=58_000,
        currency="KRW",
        method="card",
        provider="generic",
        transaction_id=f"TXN-{name}",
        paid_at=Micros(at),
    )
    order_webhook = an_order(
        order=order,
        customer_id=f"C-{name}",
        customer_email=f"{order.lower()}@example.test",
        customer_name="김민지",
        updated_at=at,
    )
    return order_webhook, event


if __name__ == "__main__":
    figures.main(measure)
