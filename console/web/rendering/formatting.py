"""Times, durations, numbers and amounts as people read them. Pure."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup

from providers.contract import InvalidField
from providers.parsing.money import exponent
from runtime.clock import to_datetime
from stream.events.text.redaction import masked_text

ZONES = (
    "UTC",
    "Asia/Seoul",
    "Asia/Tokyo",
    "Asia/Shanghai",
    "Asia/Singapore",
    "Asia/Kolkata",
    "Europe/London",
    "Europe/Berlin",
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "Australia/Sydney",
)
"""The time zones that are offered. A browser's own zone is accepted even if it is not among them."""
NONE = "\N{EN DASH}"
"""The text for None."""
NO_TIME = Markup(NONE)  # noqa: S704 - a constant
TIME = Markup('<time datetime="{}" title="{}">{}</time>')
"""The tag of a time. `Markup.format` escapes the values."""


def zone(name: str) -> ZoneInfo:
    """Return the time zone with this IANA name; UTC for an unknown name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def time_tag(at: int | None, viewers_zone: ZoneInfo) -> Markup:
    """Return a `<time>` in the viewer's zone, with UTC and microseconds in its title.

    `at` is in microseconds since 1970 UTC; NO_TIME for None and for times outside the calendar.
    """
    instant = _instant(at)
    if instant is None:
        return NO_TIME
    utc = f"{instant:%Y-%m-%d %H:%M:%S.%f} UTC"
    local = f"{instant.astimezone(viewers_zone):%Y-%m-%d %H:%M:%S}"
    return TIME.format(instant.isoformat(), utc, local)


def clock(at: int, viewers_zone: ZoneInfo) -> str:
    """Return the hour and minute of a time in the viewer's zone; NONE for a time outside the calendar.

    `at` is in microseconds since 1970 UTC.
    """
    instant = _instant(at)
    return f"{instant.astimezone(viewers_zone):%H:%M}" if instant else NONE


def _instant(at: int | None) -> datetime | None:
    """Return the time `at`, in microseconds since 1970 UTC; None for None and for a time outside the calendar."""
    try:
        return to_datetime(at)
    except OverflowError:
        return None


def duration(seconds: float) -> list[tuple[str, str]]:
    """Return a duration as its two largest units with their numbers, the smaller left out if it is 0.

    The units are d, h, min, s and ms; below a minute there is one: 3.2 s, 850 ms.
    """
    if seconds < 1:
        return [("ms", f"{seconds * 1000:.0f}")]
    if seconds < 60:  # noqa: PLR2004
        return [("s", f"{seconds:.1f}")]
    whole = round(seconds)
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    first = next(index for index, (_, size) in enumerate(units) if whole >= size)
    (name, size), (small_name, small_size) = units[first], units[first + 1]
    small = whole % size // small_size
    return [(name, str(whole // size)), *([(small_name, str(small))] if small else [])]


def number(count: int | None) -> str:
    """Return a whole number with commas between its thousands; NONE for None."""
    return NONE if count is None else f"{count:,}"


def money(amount: object, currency: object) -> str:
    """Return an amount of minor units in units of its currency, such as `58,000 KRW`; NONE for None.

    An amount of a currency without known minor units, such as crypto, is shown as given.
    """
    if amount is None:
        return NONE
    try:
        return f"{Decimal(str(amount)).scaleb(-exponent(str(currency))):,} {currency}"
    except InvalidField:
        return f"{amount} {currency or ''}".strip()


def first_line(error: str | None) -> str:
    """Return the masked first line of an error, without the rejected row that databases add; empty for None."""
    return masked_text(error).partition("\n")[0] if error else ""
