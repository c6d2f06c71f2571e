"""What the confirmer counts, for Prometheus."""

from prometheus_client import Counter

QUESTIONS = Counter(
    "hookstream_questions_total",
    "Unconfirmed webhooks by what became of them: confirmed, untrue, unknown, again",
    ["provider", "status"],
)
INQUIRIES = Counter(
    "hookstream_inquiries_total",
    "Requests to providers' APIs by how these are: well, away, refuses",
    ["provider", "api"],
)
