"""Calendar months and days in Korea, as microseconds since 1970 UTC."""

from calendar import monthrange
from datetime import datetime, timedelta, timezone

from runtime.clock import EPOCH
from stream.events import Micros

KST = timezone(timedelta(hours=9), "KST")
"""The time zone of the customers' calendar months and days: Korea, which has had no summer time since 1988."""

YEARS = range(2000, 2100)


def a_month_after(at: Micros) -> Micros:
    """Return the same day and time of the next month in Korea (microseconds), or its last day if it has no such day."""
    start = (EPOCH + timedelta(microseconds=at)).astimezone(KST)
    year, month = divmod(start.year * 12 + start.month, 12)
    day = min(start.day, monthrange(year, month + 1)[1])
    return _micros(start.replace(year=year, month=month + 1, day=day))


def parse_date(digits: str) -> Micros | None:
    """Return the time of 8 or 14 digits, a date in Korea with or without a time of day, which is midnight by default.

    None if the digits are no date, or their year is not in YEARS.
    """
    try:
        at = datetime.strptime(digits.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=KST)
    except ValueError:
        return None
    return _micros(at) if at.year in YEARS else None


def _micros(at: datetime) -> Micros:
    return Micros((at - EPOCH) // timedelta(microseconds=1))
