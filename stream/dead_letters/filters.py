"""Parses the filters for failed events from query parameters or JSON. An unknown filter is an error, never ignored."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from runtime.management.parameters import malformed
from stream.dead_letters.selection import EventFilter
from stream.store.retrying import STATUSES

MAX_LIMIT, DEFAULT_LIMIT = 500, 50
"""The largest and the default limit of a list, in events."""
FILTERS = frozenset({"status", "cause", "order", "since", "until", "id", "name"})
"""The names of the filters: `id` is an event id, `name` an id that the provider gave."""
LONGEST = 200
"""The longest value of a filter, in characters."""
LONGEST_REASON = 500
DATE_LENGTH = len("2026-02-03")


def parse(fields: Mapping[str, object], *, besides: Collection[str] = ()) -> EventFilter:
    """Return the filter that the fields describe; without fields, one that selects all failed events.

    Each field is a text, or in JSON also a list of texts. Fields named in `besides` are ignored. Raises RequestRefused
    (400) for a wrong value and for any other field: a typing error must not select all events.
    """
    if unknown := sorted(fields.keys() - FILTERS - set(besides)):
        raise malformed(f"there is no filter {unknown[0][:LONGEST]}; there are {', '.join(sorted(FILTERS))}")
    since, until = (_time(fields.get(name), name) for name in ("since", "until"))
    if since and until and since >= until:
        raise malformed("since must be before until")
    statuses = texts(fields, "status")
    if not set(statuses) <= set(STATUSES):
        raise malformed("status must be retrying, dead or dismissed")
    event_ids = tuple(event_id(text) for text in texts(fields, "id"))
    orders, causes, provider_ids = (texts(fields, name) for name in ("order", "cause", "name"))
    return EventFilter(event_ids, statuses, orders, causes, since, until, provider_ids)


def event_id(value: object) -> str:
    """Return an event id in the canonical form of UUIDs. Raises RequestRefused when `value` is not a UUID."""
    try:
        return str(UUID(str(value)))
    except ValueError as wrong:
        raise malformed("id must be an event's id, a UUID") from wrong


def limit(value: object) -> int:
    """Return the maximum number of events to list, DEFAULT_LIMIT if `value` is None.

    Raises RequestRefused unless `value` is a number from 1 to MAX_LIMIT.
    """
    text = str(DEFAULT_LIMIT if value is None else value)
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST and 1 <= int(text) <= MAX_LIMIT):
        raise malformed(f"limit must be between 1 and {MAX_LIMIT}")
    return int(text)


def texts(fields: Mapping[str, object], name: str) -> tuple[str, ...]:
    """Return the values of the filter `name`; empty when the field is missing or None.

    Raises RequestRefused for an empty list, and unless each value is a text of 1 to LONGEST printable characters.
    """
    given = fields.get(name)
    values = [] if given is None else given if isinstance(given, list) else [given]
    for text in values:
        if not (isinstance(text, str) and 0 < len(text) <= LONGEST and text.isprintable()):
            raise malformed(f"{name} must be a text of 1 to {LONGEST} printable characters, or a list of such texts")
    if isinstance(given, list) and not given:
        raise malformed(f"{name} is an empty list; leave it out to select all")
    return tuple(values)


def reason(value: object) -> str:
    """Return the operator's reason for a dismissal, without surrounding white space.

    Raises RequestRefused unless `value` is a text of 1 to LONGEST_REASON printable characters.
    """
    if not (isinstance(value, str) and 0 < len(value.strip()) <= LONGEST_REASON and value.isprintable()):
        raise malformed(f"because must give the reason, in 1 to {LONGEST_REASON} printable characters")
    return value.strip()


def _time(value: object, name: str) -> datetime | None:
    """Return the instant of a filter; None for None. A date is the start of that day in UTC, for `until` its end."""
    if value is None:
        return None
    text = str(value).replace(" ", "+")  # an unescaped plus in a query
    try:
        if len(text) == DATE_LENGTH:
            day = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            return day + timedelta(days=name == "until")
        instant = datetime.fromisoformat(text)
        if instant.utcoffset() is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise malformed(f"{name} must be a date or an instant, such as 2026-02-03 or 2026-02-03T09:00:00Z") from wrong
    raise malformed(f"{name} must have an offset from UTC, such as 2026-02-03T00:00:00+09:00")
