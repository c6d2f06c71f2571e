"""The confirmer's Prometheus metrics."""

from prometheus_client import Counter

VERIFICATION_REQUESTS = Counter(
    "hookstream_verification_requests_total",
    "Verifications of unconfirmed webhooks by result: confirmed, untrue, unknown, again",
    ["provider", "status"],
)
PROVIDER_REQUESTS = Counter(
    "hookstream_provider_requests_total",
    "Requests to providers' APIs by the API's state: well, away, refuses",
    ["provider", "api"],
)
