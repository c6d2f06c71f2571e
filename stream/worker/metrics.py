"""What a worker counts, for Prometheus."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter("hookstream_events_total", "Events by what became of them", ["outcome"])
FACTS = Counter("hookstream_facts_total", "Domain events announced", ["type"])
BATCH_SECONDS = Histogram("hookstream_batch_seconds", "One batch, from decoding to stored offsets")
LAG = Gauge("hookstream_lag_records", "Records this worker has still to process, by topic", ["topic"])
EVENT_AGE_SECONDS = Gauge(
    "hookstream_event_age_seconds", "Age of the oldest record that is not processed, by topic; 0 without one", ["topic"]
)
PARTITIONS_OWNED = Gauge("hookstream_partitions_owned", "Partitions whose records this worker applies")
OUTBOX_MESSAGES = Gauge("hookstream_outbox_messages", "Messages that are committed and not yet acknowledged by Kafka")
OUTBOX_AGE_SECONDS = Gauge("hookstream_outbox_age_seconds", "How long the oldest of them waits; 0 without one")
STORE_FAILURES = Counter("hookstream_store_failures_total", "Batches tried again because the store failed")
REWOUND = Counter(
    "hookstream_rewound_records_total", "Records that are read again because the store was restored", ["topic"]
)
FENCED = Counter("hookstream_fenced_total", "Partitions given up because another worker took them over")
FAILING = Gauge("hookstream_failing_events", "Events that failed and are tried again")
DEAD = Gauge("hookstream_dead_events", "Events that were given up and wait for somebody, of the whole store")
WAITING = Gauge("hookstream_waiting_events", "Events that wait for what nobody has told yet, of the whole store")

_publishing: dict[object, float] = {}  # since when (monotonic seconds), by publication


@contextmanager
def publishing(count: int) -> Iterator[None]:
    """Count these messages as waiting in the outbox until the block ends."""
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
