"""The order ids of contract C, which name a user, a plan and a date."""

import re
from dataclasses import dataclass

from processors.subscription.domain.calendar_dates import parse_date
from stream.events import Micros, OrderId

_ORDER = re.compile(r"BIZ-(?P<user>.+)-(?P<plan>[A-Za-z0-9_]+)-(?P<date>[0-9]{14}|[0-9]{8})")


@dataclass(frozen=True, slots=True)
class PlanOrder:
    """The content of an order id; `plan` is in lower case.

    `at` is its time in microseconds since 1970 UTC, None if its digits are no date.
    """

    user_id: str
    plan: str
    at: Micros | None


def parse_order_id(order_id: OrderId | None) -> PlanOrder | None:
    """Parse `BIZ-{user}-{plan}-{8 or 14 digits}`; None for any other id. A user may contain dashes, a plan may not."""
    parts = _ORDER.fullmatch(order_id or "")
    return PlanOrder(parts["user"], parts["plan"].lower(), parse_date(parts["date"])) if parts else None
