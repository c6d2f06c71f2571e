"""What a person asks of the events that failed, from the words of a query or of JSON; a typing error asks nothing."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from runtime.management import Refused
from stream.dead_letters.actions import Wanted

MOST, USUAL = 500, 50
STATUSES = ("retrying", "abandoned", "dismissed")
FILTERS = frozenset({"status", "cause", "order", "since", "until", "id", "name"})
"""`name` is an id that the provider gave; `id` is ours."""
LONGEST = 200
LONGEST_REASON = 500
DATE = len("2026-02-03")


def wanted(said: Mapping[str, Any], *, besides: Collection[str] = ()) -> Wanted:
    """Which events are meant; each filter is a text, or in JSON a list of texts. `besides`: what else may be said.

    Raises Refused for a filter that does not exist: who mistypes one must not get all there is.
    """
    if unknown := sorted(said.keys() - FILTERS - set(besides)):
        raise _malformed(f"there is no filter {unknown[0][:LONGEST]}; there are {', '.join(sorted(FILTERS))}")
    since, until = (_time(said.get(name), name) for name in ("since", "until"))
    if since and until and since >= until:
        raise _malformed("since must be before until")
    statuses = texts(said, "status")
    if not set(statuses) <= set(STATUSES):
        raise _malformed("status must be retrying, abandoned or dismissed")
    event_ids = tuple(event_id(text) for text in texts(said, "id"))
    orders, causes, names = (texts(said, name) for name in ("order", "cause", "name"))
    return Wanted(event_ids, statuses, orders, causes, since, until, names)


def event_id(said: object) -> str:
    """An event's id.

    Raises Refused.
    """
    try:
        return str(UUID(str(said)))
    except ValueError as wrong:
        raise _malformed("id must be an event's id, a UUID") from wrong


def limit(said: object) -> int:
    """How many are asked for at most.

    Raises Refused.
    """
    text = str(USUAL if said is None else said)
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST and 1 <= int(text) <= MOST):
        raise _malformed(f"limit must be between 1 and {MOST}")
    return int(text)


def texts(said: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """What a filter is to be one of; empty when it is not said.

    Raises Refused.
    """
    given = said.get(name)
    asked = [] if given is None else given if isinstance(given, list) else [given]
    for text in asked:
        if not (isinstance(text, str) and 0 < len(text) <= LONGEST and text.isprintable()):
            raise _malformed(f"{name} must be a text of 1 to {LONGEST} printable characters, or a list of such")
    if isinstance(given, list) and not given:
        raise _malformed(f"{name} is an empty list; leave it out to ask for all")
    return tuple(asked)


def because(said: object) -> str:
    """Return the reason a person gives for dismissing events.

    Raises Refused.
    """
    if not (isinstance(said, str) and 0 < len(said.strip()) <= LONGEST_REASON and said.isprintable()):
        raise _malformed(f"because must say why, in 1 to {LONGEST_REASON} printable characters")
    return said.strip()


def _time(said: object, name: str) -> datetime | None:
    """A date is a day of UTC, and `until` includes it; an instant says its offset."""
    if said is None:
        return None
    text = str(said).replace(" ", "+")  # a plus that nobody escaped
    try:
        if len(text) == DATE:
            day = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            return day + timedelta(days=name == "until")
        instant = datetime.fromisoformat(text)
        if instant.utcoffset() is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise _malformed(f"{name} must be a date or an instant, such as 2026-02-03 or 2026-02-03T09:00:00Z") from wrong
    raise _malformed(f"{name} must say its offset from UTC, such as 2026-02-03T00:00:00+09:00")


def _malformed(message: str) -> Refused:
    return Refused(400, "malformed", message)
