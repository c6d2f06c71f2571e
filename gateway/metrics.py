"""What the gateway counts, for Prometheus."""

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

from providers import catalogue

REQUESTS = Counter(
    "hookstream_http_requests_total",
    "Requests answered, by path of the catalogue (any other path is `other`) and status",
    ["path", "status"],
)
REQUEST_SECONDS = Histogram(
    "hookstream_http_request_seconds",
    "From the head of a request for a path of the catalogue to its answer",
    ["path"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)

ACCEPTED = Counter("hookstream_webhooks_accepted_total", "Webhooks answered 2xx, by provider", ["provider"])
REJECTED = Counter(
    "hookstream_webhooks_rejected_total", "Requests refused, by provider and cause", ["provider", "cause"]
)
SPOOLED = Gauge("hookstream_spooled_webhooks", "Webhooks on this gateway's disk that wait for Kafka")
SPOOL_REFUSED = Gauge("hookstream_spool_refused", "1 while the disk of this gateway's spool refuses writes")
ACK_SECONDS = Histogram(
    "hookstream_ack_seconds",
    "From the arrival of a body to Kafka's acknowledgement",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)


def answered(path: str, status: int, seconds: float | None = None) -> None:
    """Count an answered request; `seconds` is how long it took, None for one that the guard refused."""
    known = path if path in catalogue.BY_PATH else "other"
    _requests(known, status).inc()
    if seconds is not None:
        _seconds(known).observe(seconds)


@cache  # both labels come from closed lists
def _requests(path: str, status: int) -> Counter:
    return REQUESTS.labels(path, str(status))


@cache
def _seconds(path: str) -> Histogram:
    return REQUEST_SECONDS.labels(path)
