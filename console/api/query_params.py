"""What a question's parameters mean; what they cannot mean is a sentence for the asker. Pure."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from console.api.labels import PROVIDERS, canonical
from console.api.statistics import ALL
from console.domain import STATUSES
from providers.parsing.fields import HIDDEN

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
LIMIT, HIGHEST_LIMIT = 50, 200
LONGEST = 200
IDS = ("order", "id")
"""Parameters of which blanks at the ends are part."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

Cursor = tuple[int, str]
"""The time a webhook was received and its id: where a page ends."""
Parameters = Mapping[str, Sequence[str]]


class BadParameter(ValueError):
    """This parameter cannot be what was given; the message is for the asker."""


@dataclass(frozen=True, slots=True)
class Range:
    """Received at or after `start` and before `end`, in microseconds; None: from the beginning, or until now."""

    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which webhooks are asked for; what is None says nothing. `provider` is a canonical name."""

    provider: str | None = None
    status: str | None = None
    type: str | None = None
    order: str | None = None
    id: str | None = None
    received: Range = Range()


@dataclass(frozen=True, slots=True)
class Page:
    """So many, of those after the cursor."""

    limit: int = LIMIT
    after: Cursor | None = None


def of_statistics(given: Parameters) -> Filter:
    """The range and provider that statistics are asked for.

    Raises BadParameter.
    """
    said = _once(given, {"from", "to", "provider"})
    return Filter(provider=_provider(said), received=_range(said))


def of_webhooks(given: Parameters) -> tuple[Filter, Page]:
    """Which webhooks are asked for, and which page of them.

    Raises BadParameter.
    """
    names = {"from", "to", "provider", "status", "type", "order", "id", "limit", "cursor"}
    said = _once(given, names)
    status = said.get("status", "").upper() or None
    if status not in (None, *STATUSES):
        raise BadParameter(f"status must be one of {', '.join(STATUSES)}")
    wanted = Filter(_provider(said), status, said.get("type"), said.get("order"), said.get("id"), _range(said))
    return wanted, Page(_limit(said.get("limit")), _after(said.get("cursor")))


def of_refusals(given: Parameters) -> tuple[Filter, int]:
    """Which refused requests are asked for, and how many at most.

    Raises BadParameter.
    """
    said = _once(given, {"from", "to", "provider", "limit"})
    return Filter(provider=_provider(said), received=_range(said)), _limit(said.get("limit"))


def nothing(given: Parameters) -> None:
    """Raises BadParameter when any parameter is given."""
    _once(given, ())


def cursor(after: Cursor) -> str:
    """Where the next page begins, as a text for a URL."""
    return urlsafe_b64encode(f"{after[0]}:{after[1]}".encode()).decode().rstrip("=")


def name(text: str) -> str:
    """The id of an order, a customer or a webhook, as a path gives it.

    Raises BadParameter.
    """
    if not (0 < len(text) <= LONGEST and _is_printable(text)):
        raise BadParameter(f"an id is printable and no longer than {LONGEST} characters")
    return text


def is_uuid(text: str) -> bool:
    """Whether this may be an id of ours."""
    return _UUID.fullmatch(text) is not None


def _once(given: Parameters, names: Collection[str]) -> dict[str, str]:
    """Each parameter that says something, given once and known."""
    for name, values in given.items():
        if name not in names:
            raise BadParameter(f"there is no parameter {name[:40]}; known here: {', '.join(sorted(names)) or 'none'}")
        if len(values) > 1:
            raise BadParameter(f"{name} is given {len(values)} times")
        if len(values[0]) > LONGEST or not _is_printable(values[0]):
            raise BadParameter(f"{name} must be printable and no longer than {LONGEST} characters")
    return {
        name: values[0] if name in IDS else values[0].strip() for name, values in given.items() if values[0].strip()
    }


def _is_printable(text: str) -> bool:
    """Return whether a text has only characters of ids; a webhook's id can join two ids of its provider."""
    return not HIDDEN.search(text)


def _provider(said: Mapping[str, str]) -> str | None:
    word = said.get("provider")
    if word is None or word.upper() == ALL:
        return None
    name = canonical(word)
    if name is None:
        raise BadParameter(f"provider must be one of {', '.join(PROVIDERS)}")
    return name


def _range(said: Mapping[str, str]) -> Range:
    start = _time(said, "from", end_of_day=False)
    end = _time(said, "to", end_of_day=True)
    if start is not None and end is not None and start >= end:
        raise BadParameter("from must be before to")
    return Range(start, end)


def _time(said: Mapping[str, str], name: str, *, end_of_day: bool) -> int | None:
    """A date is a day of UTC, and `to` includes it; an instant says its offset."""
    text = said.get(name)
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text):
            instant = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            instant += DAY if end_of_day else timedelta()
        else:
            instant = datetime.fromisoformat(text.replace(" ", "+"))  # a plus that nobody escaped
        if instant.utcoffset() is None:
            raise BadParameter(f"{name} must say its offset from UTC, such as 2026-02-03T00:00:00+09:00")
        return (instant - EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError) as wrong:
        if isinstance(wrong, BadParameter):
            raise
        raise BadParameter(f"{name} must be a date or an instant, such as 2026-02-03 or 2026-02-03T09:00:00Z") from None


def _limit(text: str | None) -> int:
    if text is None:
        return LIMIT
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= HIGHEST_LIMIT):
        raise BadParameter(f"limit must be a number from 1 to {HIGHEST_LIMIT}")
    return int(text)


def _after(text: str | None) -> Cursor | None:
    if text is None:
        return None
    try:
        at, _, webhook_id = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii").partition(":")
        if is_uuid(webhook_id) and -(2**63) <= int(at) < 2**63:
            return int(at), webhook_id
    except (Error, ValueError):
        pass
    raise BadParameter("cursor must be the `next` of an earlier answer")
