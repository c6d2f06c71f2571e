"""What a worker counts, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter("hookstream_events_total", "Events by what became of them", ["outcome"])
FACTS = Counter("hookstream_facts_total", "Domain events announced", ["type"])
BATCH_SECONDS = Histogram("hookstream_batch_seconds", "One batch, from decoding to stored offsets")
EVENT_AGE_SECONDS = Gauge("hookstream_event_age_seconds", "Age of the last handled event, from its webhook's arrival")
STORE_FAILURES = Counter("hookstream_store_failures_total", "Batches tried again because the store failed")
REWOUND = Counter(
    "hookstream_rewound_records_total", "Records that are read again because the store was restored", ["topic"]
)
FENCED = Counter("hookstream_fenced_total", "Partitions given up because another worker took them over")
FAILING = Gauge("hookstream_failing_events", "Events that failed and are tried again")
DEAD = Gauge("hookstream_dead_events", "Events that were given up and wait for somebody, of the whole store")
WAITING = Gauge("hookstream_waiting_events", "Events that wait for what nobody has told yet, of the whole store")
