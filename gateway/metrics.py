"""What the gateway counts, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

ACCEPTED = Counter("hookstream_webhooks_accepted_total", "Webhooks answered 2xx, by provider", ["provider"])
REJECTED = Counter(
    "hookstream_webhooks_rejected_total", "Requests refused, by provider and cause", ["provider", "cause"]
)
SPOOLED = Gauge("hookstream_spooled_webhooks", "Webhooks on this gateway's disk that wait for Kafka")
ACK_SECONDS = Histogram(
    "hookstream_ack_seconds",
    "From the arrival of a body to Kafka's acknowledgement",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
