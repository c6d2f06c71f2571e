"""The Prometheus metrics of a worker."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter("hookstream_events_total", "Events by outcome", ["outcome"])
DOMAIN_EVENTS = Counter(
    "hookstream_domain_events_total", "Published domain events and dead letters, by topic", ["type"]
)
BATCH_SECONDS = Histogram("hookstream_batch_seconds", "Seconds per batch, from decoding to published messages")
LAG = Gauge("hookstream_lag_records", "Records that this worker has not yet processed, by topic", ["topic"])
EVENT_AGE_SECONDS = Gauge(
    "hookstream_event_age_seconds",
    "Age of the oldest unprocessed record in seconds, by topic; 0 without one",
    ["topic"],
)
PARTITIONS_OWNED = Gauge("hookstream_partitions_owned", "Partitions whose records this worker applies")
OUTBOX_MESSAGES = Gauge("hookstream_outbox_messages", "Committed messages that Kafka has not yet acknowledged")
OUTBOX_AGE_SECONDS = Gauge(
    "hookstream_outbox_age_seconds",
    "Age in seconds of the oldest message that Kafka has not acknowledged; 0 without one",
)
STORE_FAILURES = Counter("hookstream_store_failures_total", "Attempts to apply a batch that the store failed")
REWOUND = Counter(
    "hookstream_rewound_records_total",
    "Records that are read again because the store was restored, by topic",
    ["topic"],
)
FENCED = Counter("hookstream_fenced_total", "Partitions lost because another worker acquired them")
RETRYING = Gauge("hookstream_retrying_events", "Retrying events of the whole store")
DEAD = Gauge("hookstream_dead_events", "Dead events of the whole store, which wait for an operator")
PAUSED = Gauge("hookstream_paused", "1 while an operator has paused this service")
WAITING = Gauge(
    "hookstream_waiting_events", "Events of the whole store that wait for another event, such as their order"
)

_publishing: dict[object, float] = {}  # start of each running publication, in monotonic seconds


@contextmanager
def publishing(count: int) -> Iterator[None]:
    """Add `count` to OUTBOX_MESSAGES until the block ends, and let OUTBOX_AGE_SECONDS grow meanwhile."""
    publication = object()
    _publishing[publication] = time.monotonic()
    OUTBOX_MESSAGES.inc(count)
    try:
        yield
    finally:
        OUTBOX_MESSAGES.dec(count)
        del _publishing[publication]


def _outbox_age() -> float:
    since = list(_publishing.values())
    return time.monotonic() - min(since) if since else 0.0


OUTBOX_AGE_SECONDS.set_function(_outbox_age)
