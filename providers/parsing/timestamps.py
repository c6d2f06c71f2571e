"""Reads instants in all formats that providers use.

ISO 8601 with or without seconds, fraction, separators and zone, `T` or a blank between day and time; Unix time in
seconds, milliseconds, microseconds or nanoseconds, distinguished by the years 2000 to 2099; bare digits such as
YYYYMMDDHHMMSS. Nothing goes through a float.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal

import msgspec

from providers.parsing.fields import EARLIEST, EPOCH, LATEST
from providers.parsing.notes import note
from stream.events import Micros

KST = timezone(timedelta(hours=9))
"""Korean time; Korea has no daylight saving time."""

RawTime = msgspec.Raw | str | int | None
"""A time as a body holds it: raw JSON, or its text or number."""

_DAY = r"(?P<year>\d{4})(?:(?P<mark>[-./])(?P<month>\d\d?)(?P=mark)(?P<day>\d\d?)|(?P<month2>\d\d)(?P<day2>\d\d))"
_TIME = r"(?P<hour>\d\d):?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,18}))?)?"
_ZONE = r"\s?(?P<zone>[Zz]|UTC|GMT|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)?)(?:\[[\w/+-]{1,40}\])?"
_ISO = re.compile(rf"{_DAY}(?:(?:[Tt]|\s{{0,3}}){_TIME}(?:{_ZONE})?)?", re.ASCII)
_USUAL = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:[0-5]\d(?:\.\d{3}|\.\d{6})?(?:Z|[+-]\d\d:[0-5]\d)", re.ASCII
)
"""The usual format of RFC 3339, which the standard library reads ten times as fast as `_iso`.

Hour 24 is left to `_iso`, which refuses it: the standard library reads it from Python 3.14 on.
"""
_DIGITS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_NUMBER = re.compile(r"\d{1,19}(\.\d{1,18})?([eE]\+?\d\d?)?", re.ASCII)
_text = msgspec.json.Decoder(str)
_EMPTY = ("", "null", "0")
_SECOND = 1_000_000
_UNIX_SCALES = (1, 1_000, 1_000_000, 1_000_000_000)
"""Units in a second of a Unix time: seconds, milliseconds, microseconds, nanoseconds."""
_FIRST = (EARLIEST - EPOCH) // timedelta(microseconds=1)
_END = (LATEST - EPOCH) // timedelta(microseconds=1)


class _NoZone(ValueError):
    """The time names no zone, and the provider's zone is not known."""


def instant(value: RawTime, field: str, zone: tzinfo | None = None) -> Micros | None:
    """Return microseconds since 1970 UTC; None for an empty value (null, "", 0) and for one that is no instant.

    Values outside the years 2000 to 2099 are no instants; these and other texts are noted as those of `field`. Times
    that name no zone are read in `zone`; without it, they are no instants, and are not noted.
    """
    text = raw_text(value)
    if text in _EMPTY:
        return None
    try:
        if _USUAL.fullmatch(text):
            at = _usual(text)
        elif _NUMBER.fullmatch(text) and not (text.isdecimal() and len(text) in _DIGITS):
            at = _unix(text)
        else:
            at = _iso(text, zone)
    except _NoZone:
        return None
    except (ValueError, OverflowError):
        note(field, "is no instant and is left out")
        return None
    if not _FIRST <= at < _END:
        note(field, "is outside the years 2000 to 2099 and is left out")
        return None
    return Micros(at)


def korean(value: RawTime, field: str) -> Micros | None:
    """Do the same as `instant`; a time that names no zone is Korean time."""
    return instant(value, field, KST)


def is_present(value: RawTime) -> bool:
    """Return whether a time is present, readable or not; null, "" and 0 are not."""
    return raw_text(value) not in _EMPTY


def raw_text(value: RawTime) -> str:
    """Return the text or number as the body has it, without blanks around it; "" for None and an absent one.

    A null in raw JSON gives `null`.
    """
    if not isinstance(value, msgspec.Raw):
        return "" if value is None else str(value).strip()
    raw = bytes(value)
    if not raw.startswith(b'"'):
        return raw.decode(errors="replace")
    try:
        return _text.decode(raw).strip()
    except msgspec.MsgspecError:
        return raw.decode(errors="replace")


def in_korea(at: int) -> datetime:
    """Return the datetime in Korean time for an instant in microseconds since 1970 UTC."""
    return (EPOCH + timedelta(microseconds=at)).astimezone(KST)


def _unix(text: str) -> int:
    number = Decimal(text)
    for scale in _UNIX_SCALES:
        at = int(number * _SECOND / scale)
        if _FIRST <= at < _END:
            return at
    raise ValueError(text)


def _usual(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def _iso(text: str, zone: tzinfo | None) -> int:
    if text.isascii() and text.isdecimal() and len(text) in _DIGITS:
        return _micros(datetime.strptime(text, _DIGITS[len(text)]).replace(tzinfo=UTC), zone)
    part = _ISO.fullmatch(text)
    if part is None:
        raise ValueError(text)
    month, day = int(part["month"] or part["month2"]), int(part["day"] or part["day2"])
    second, fraction = int(part["second"] or 0), (part["fraction"] or "").ljust(6, "0")
    if second > 60:  # noqa: PLR2004 - a leap second is the first of the next minute
        raise ValueError(text)
    time = timedelta(seconds=second, microseconds=int(fraction[:6]))
    minute = datetime(int(part["year"]), month, day, int(part["hour"] or 0), int(part["minute"] or 0), tzinfo=UTC)
    return _micros(minute + time, _zone(part) if part["zone"] else zone)


def _zone(part: re.Match[str]) -> tzinfo:
    if not part["sign"]:
        return UTC
    minutes = int(part["minutes"] or 0)
    if minutes > 59:  # noqa: PLR2004 - RFC 3339 §5.6
        raise ValueError(part[0])
    offset = timedelta(hours=int(part["hours"]), minutes=minutes)
    return timezone(offset if part["sign"] == "+" else -offset)


def _micros(clock: datetime, zone: tzinfo | None) -> int:
    """Return the instant at which a clock in `zone` shows the time of `clock`, whose own zone is ignored.

    It is in microseconds since 1970 UTC. Raises _NoZone if `zone` is None.
    """
    if zone is None:
        raise _NoZone
    return (clock.replace(tzinfo=zone) - EPOCH) // timedelta(microseconds=1)
