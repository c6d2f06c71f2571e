"""The confirmer's Prometheus metrics."""

from prometheus_client import Counter

QUESTIONS = Counter(
    "hookstream_questions_total",
    "Verifications of unconfirmed webhooks by result: confirmed, untrue, unknown, again",
    ["provider", "status"],
)
INQUIRIES = Counter(
    "hookstream_inquiries_total",
    "Requests to providers' APIs by the API's state: well, away, refuses",
    ["provider", "api"],
)
