"""The console at 10^6 webhooks: latency of each query of the API, and rate of the ingest: `python -m bench.console`.

Queries are the API's functions, called without HTTP. The ingest is the worker's transaction without Kafka: decoding,
inbox, handler, commit.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

from sqlalchemy import Engine

from bench.rig import figures
from bench.rig.console_rows import fill, webhook_id
from bench.rig.figures import Figure
from bench.rig.load import cpu_seconds
from console import handler
from console.api import endpoints
from local import environment
from local.paths import Paths
from local.system import running_infrastructure
from runtime import clock, logging
from runtime.postgres.engine import engine
from stream.avro.codec import Codec
from stream.avro.registry import CommittedRegistry
from stream.events import EventId, Micros, NotificationSent, Outcome, PaymentCompleted, Record, ids, topics
from stream.kafka import delivery
from stream.kafka.delivery import Delivery
from stream.store.schema import migrate
from stream.worker import batch, bisection
from stream.worker.publishing.messages import Messages
from tests.builders import a_domain_event, a_payment

ROOT = Path(__file__).parent.parent
ROWS, FEW_ROWS = 1_000_000, 200_000
RECORDS, FEW_RECORDS = 50_000, 20_000
BATCH = 1000
SEED = 14
CODEC = Codec(CommittedRegistry())


def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - every benchmark's interface
    """Fill a store, measure each query, then measure the ingest."""
    logging.configure("bench", "warning")
    with _store() as store:
        rows, records = (FEW_ROWS, FEW_RECORDS) if quick else (ROWS, RECORDS)
        start = fill(store, rows)
        times = 20 if quick else 100
        return [
            *query_latencies(store, rows, start, times),
            *ingest_rate(store, records),
        ]


@contextmanager
def _store() -> Iterator[Engine]:
    """Yield the migrated store of the console of a local stack of its own; only the stack's Postgres is used."""
    with tempfile.TemporaryDirectory() as data:
        settings = environment.decide(Paths(ROOT, Path(data)), {}, {}, registry=False)
        with running_infrastructure(settings) as stack:
            url = stack.env["CONSOLE_DATABASE_URL"]
            migrate.upgrade("console", url)
            store = engine(url, service="bench")
            yield store
            store.dispose()


def query_latencies(store: Engine, rows: int, start: int, times: int) -> list[Figure]:
    """Return the median latency of each query in up to `times` runs, with p99 in the note.

    `rows` and `start` are the argument and the result of `fill`.
    """
    generator = random.Random(SEED)  # noqa: S311 - not a secret
    day = clock.to_datetime(start + 3 * clock.DAY_US)
    date = f"{day:%Y-%m-%d}" if day else ""
    order, webhook = endpoints.order, endpoints.webhook
    queries: dict[str, Callable[[Any], Any]] = {
        "one order": lambda tx: order(tx, {}, f"o_{generator.randrange(rows // 3)}"),
        "one webhook": lambda tx: webhook(tx, {}, webhook_id(tx, generator.randrange(rows))),
        "one webhook by its provider's id": lambda tx: webhook(tx, {}, f"evt_{generator.randrange(rows)}"),
        **{f"search, {name}": _search(**parameters) for name, parameters in SEARCHES.items()},
        "statistics of all time": _statistics(),
        "statistics of all time, one provider": _statistics(provider="TOSS"),
        "statistics of a week": _statistics(**{"from": date}),
        "statistics of a week in Korea": _statistics(**{"from": f"{date}T00:00:00+09:00"}),
        "statistics from an odd minute": _statistics(**{"from": f"{date}T11:23:45+09:00"}),
    }
    return [_latency(store, name, query, times) for name, query in queries.items()]


SEARCHES: dict[str, dict[str, str]] = {
    "newest page": {},
    "one order": {"order": "o_77"},
    "an unknown order": {"order": "unknown"},
    "an unknown id": {"id": "unknown"},
    "FAILED": {"status": "FAILED"},
    "one provider": {"provider": "TOSS"},
    "status of none": {"status": "RETRYING"},
    "type of none": {"type": "REFUND_FAILED"},
    "provider of none": {"provider": "INICIS"},
    "type and status of none": {"type": "REFUND_COMPLETED", "provider": "TOSS", "status": "RECEIVED"},
}


def _search(**parameters: str) -> Callable[[Any], Any]:
    return lambda tx: endpoints.webhooks(tx, {name: [value] for name, value in parameters.items()})


def _statistics(**parameters: str) -> Callable[[Any], Any]:
    return lambda tx: endpoints.statistics_(tx, {name: [value] for name, value in parameters.items()})


def _latency(store: Engine, name: str, query: Callable[[Any], Any], times: int) -> Figure:
    took: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        with store.connect() as tx:
            query(tx)
        took.append((time.perf_counter() - began) * 1000)
        if sum(took) > 10_000:  # noqa: PLR2004 - ms: limits the time of a slow query
            break
    worst = statistics.quantiles(took, n=100)[-1] if len(took) > 1 else took[0]
    return Figure(f"console, {name}", statistics.median(took), "ms", "≤ 50", note=f"p99 {worst:.3g}, {len(took)} times")


def ingest_rate(store: Engine, records: int) -> list[Figure]:
    """Return webhooks a second through the worker's transactions, and CPU per webhook, in Python and in Postgres.

    A webhook is five records: itself, its outcome, a domain event, the outcome of that, and a mail.
    """
    run = clock.now()
    made = [record for n in range(records // 5) for record in _life(f"{run}-{n}", n)]
    encoded = [(topic, n, CODEC.encode(record)) for n, (topic, record) in enumerate(made)]
    messages = Messages("console", CODEC)
    with store.connect() as tx:
        backend = int(tx.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
    began, ours, theirs = time.perf_counter(), _own_cpu(), cpu_seconds(backend)
    for start in range(0, len(encoded), BATCH):
        deliveries = [_delivery(*record) for record in encoded[start : start + BATCH]]
        with store.begin() as tx:
            batch.apply(tx, deliveries, handler.handle, messages, bisection.together, 2.0)
    seconds, webhooks = time.perf_counter() - began, records / 5
    cpu, postgres = (_own_cpu() - ours) / webhooks * 1e6, (cpu_seconds(backend) - theirs) / webhooks * 1e6
    return [
        Figure("console, ingest", webhooks / seconds, "webhooks/s", note="5 records each, 1,000 records a transaction"),
        Figure("console, CPU of a webhook", cpu, "us", note=f"and {postgres:.0f} us in Postgres"),
    ]


def _life(name: str, n: int) -> list[tuple[str, Record]]:
    """Return a webhook, its outcome, its domain event, the outcome of that, and the mail, each with its topic."""
    webhook = a_payment(order=name, name=name, method="card", transaction_id=f"TXN-{name}", at=clock.now())
    event = a_domain_event(
        PaymentCompleted, order=name, provider="generic", amount=58000, currency="KRW", method="card",
        transaction_id=f"TXN-{name}", paid_at=None, caused_by=webhook.envelope.event_id,
    )  # fmt: skip
    mail = NotificationSent(
        notification_id=ids.domain_event_id("mail", event.event_id), event_id=event.event_id,
        event_type="PaymentCompleted", audience="customer", channel="email", order_id=event.order_id, customer_id=None,
        locale="ko", message_id=f"<{name}@example.test>", sent_at=Micros(clock.now()),
    )  # fmt: skip
    return [
        (topics.PAYMENT_WEBHOOKS.name, webhook),
        (topics.OUTCOMES.name, _outcome(webhook.envelope.event_id, "payment", topics.PAYMENT_WEBHOOKS.name, n)),
        (topics.PAYMENTS.name, event),
        (topics.OUTCOMES.name, _outcome(event.event_id, "notifier", topics.PAYMENTS.name, n)),
        (topics.NOTIFICATIONS.name, mail),
    ]


def _outcome(event_id: str, service: str, topic: str, n: int) -> Outcome:
    return Outcome(
        event_id=EventId(event_id), service=service, topic=topic, partition=n % 12, offset=n,
        outcome="processed", attempt=1, error=None, at=Micros(clock.now()),
    )  # fmt: skip


def _delivery(topic: str, offset: int, value: bytes) -> Delivery:
    return delivery.delivery(CODEC, topic, 0, offset, None, value)


def _own_cpu() -> float:
    used = getrusage(RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    figures.main(measure)
