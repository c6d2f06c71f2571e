"""Parse the parameters of the management endpoints; a malformed one raises RequestRefused (400)."""

from collections.abc import Mapping
from uuid import UUID

from runtime.management.routes import RequestRefused
from stream.dead_letters.filters import LONGEST

MAX_LIMIT = 1000


def mail_id(params: Mapping[str, object]) -> str:
    """Return the parameter `id`, a UUID, in its usual form. Raises RequestRefused (400) for anything else."""
    try:
        return str(UUID(str(params.get("id", ""))))
    except ValueError as error:
        raise RequestRefused(400, "malformed", "id must be a mail's id, a UUID") from error


def decision(params: Mapping[str, object]) -> str:
    """Return the parameter `decision`, a text of printable characters, without spaces around it.

    Raises RequestRefused (400) for another value, or one longer than LONGEST characters.
    """
    value = params.get("decision")
    if not (isinstance(value, str) and 0 < len(value.strip()) <= LONGEST and value.isprintable()):
        raise RequestRefused(400, "malformed", f"decision must be a text of 1 to {LONGEST} printable characters")
    return value.strip()


def limit(value: object) -> int:
    """Return the parameter `limit`, a number from 1 to MAX_LIMIT. Raises RequestRefused (400) for anything else."""
    text = str(value)
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST and 1 <= int(text) <= MAX_LIMIT):
        raise RequestRefused(400, "malformed", f"limit must be between 1 and {MAX_LIMIT}")
    return int(text)
