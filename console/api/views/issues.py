"""The API's JSON of issues and their events. Pure."""

from console.api.views.log_entries import iso
from console.queries.issues import Json

TIMES = ("firstAt", "lastAt", "acknowledgedAt", "resolvedAt", "diedAt")


def with_iso_times(found: Json) -> Json:
    """Return a copy of an issue, or an event of one, with its times in ISO 8601 instead of microseconds."""
    return {name: iso(value) if name in TIMES else value for name, value in found.items()}
