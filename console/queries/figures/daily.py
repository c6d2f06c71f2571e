"""Contract E's statistics by day and provider, and the money that domain events report."""

from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import Connection

from console.queries.criteria import BadParameter, Filter, Range, StatusCount
from console.queries.figures.spans import DAY
from console.queries.lookup import rows
from runtime import clock

MOST_DAYS, USUAL_DAYS = 92, 7
"""The most days of one request, and the days without a start."""
MONEY = {"PaymentCompleted": "paid", "PaymentRefunded": "refunded", "RefundCompleted": "refundsCompleted"}
"""The kind of amount by type of domain event.

A refund may be reported by its payment and by a refund webhook, so these two kinds must not be added.
"""

COUNTS = """
SELECT start AS day, provider, type, status, sum(count)::bigint AS count FROM webhook_counts
 WHERE span = 86400000000 AND start >= %(start)s AND start < %(end)s AND (is_event OR status <> 'PROCESSED')
   AND (%(provider)s::text IS NULL OR provider = %(provider)s)
 GROUP BY 1, 2, 3, 4 HAVING sum(count) > 0
"""
AMOUNTS = """
SELECT start AS day, provider, type, currency, amount FROM daily_amounts
 WHERE start >= %(start)s AND start < %(end)s AND amount <> 0
   AND (%(provider)s::text IS NULL OR provider = %(provider)s)
"""


@dataclass(slots=True)
class DayOfProvider:
    """The webhooks of a provider received on a day of UTC, and the amounts in minor units by kind (MONEY) and currency.

    `day` is the start of the day in microseconds since 1970 UTC; `provider` is a canonical name.
    """

    day: int
    provider: str
    counts: list[StatusCount] = field(default_factory=list)
    money: dict[str, dict[str, int]] = field(default_factory=lambda: {name: {} for name in MONEY.values()})


def select(tx: Connection, criteria: Filter, now: int | None = None) -> list[DayOfProvider]:
    """Return the statistics of the criteria's provider and range by day and provider, the latest day first.

    The range is widened to whole days of UTC. Without an end it ends at `now` (microseconds since 1970 UTC; None: the
    clock's), without a start it has USUAL_DAYS. Days without webhooks and amounts are left out. Raises BadParameter for
    more than MOST_DAYS.
    """
    start, end = _bounds(criteria.received, now)
    values = {"start": start, "end": end, "provider": criteria.provider}
    found: dict[tuple[int, str], DayOfProvider] = {}
    for row in rows(tx, COUNTS, values):
        key = (row["day"], row["provider"])
        day = found.setdefault(key, DayOfProvider(*key))
        day.counts.append(StatusCount(row["type"], row["status"], row["count"]))
    for row in rows(tx, AMOUNTS, values):
        key = (row["day"], row["provider"])
        amounts = found.setdefault(key, DayOfProvider(*key)).money[MONEY[row["type"]]]
        amounts[row["currency"]] = amounts.get(row["currency"], 0) + row["amount"]
    return sorted(found.values(), key=lambda day: (-day.day, day.provider))


def totals(days: list[DayOfProvider]) -> dict[str, dict[str, int]]:
    """Return the sums of the amounts over all days, in minor units by kind (MONEY) and currency."""
    sums: dict[str, dict[str, int]] = {name: defaultdict(int) for name in MONEY.values()}
    for day in days:
        for name, amounts in day.money.items():
            for currency, amount in amounts.items():
                sums[name][currency] += amount
    return {name: dict(amounts) for name, amounts in sums.items()}


def _bounds(received: Range, now: int | None) -> tuple[int, int]:
    """Return the start of the range's first day and the end of its last, in microseconds since 1970 UTC.

    Raises BadParameter for more than MOST_DAYS.
    """
    end = received.end if received.end is not None else (now if now is not None else clock.now())
    end = -(-end // DAY) * DAY
    start = (received.start // DAY) * DAY if received.start is not None else end - USUAL_DAYS * DAY
    if end - start > MOST_DAYS * DAY:
        raise BadParameter(f"from and to must be at most {MOST_DAYS} days apart")
    return start, end
