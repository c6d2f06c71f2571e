"""The requests that name an order and were refused, of which nothing was accepted since. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console.queries.lookup import Row


@dataclass(frozen=True, slots=True)
class RefusedRequests:
    """The number of refused requests, by provider and cause, and by provider and fingerprint of a retired secret."""

    total: int
    causes: dict[tuple[str, str], int]
    retired: dict[tuple[str, str], int]
    is_capped: bool
    """True if there are more than were counted."""


def since_accepted(refusals: Sequence[Row], webhooks: Iterable[Row], most: int) -> RefusedRequests | None:
    """Return the refusals that came after the last accepted webhook of the order; None without one.

    `refusals` are the newest, and one more than `most` if there are more.
    """
    accepted = max((row["received_at"] for row in webhooks if row["received_at"] is not None), default=0)
    later = [row for row in refusals if row["received_at"] > accepted]
    if not later:
        return None
    causes = Counter((row["provider"], row["cause"]) for row in later[:most])
    retired = Counter((row["provider"], row["retired_secret"]) for row in later[:most] if row["retired_secret"])
    return RefusedRequests(causes.total(), dict(causes.most_common()), dict(retired.most_common()), len(later) > most)
