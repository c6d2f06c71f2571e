"""Notes on fields that could not be used as they were sent: parsers make the notes, the gateway logs them.

A note names the field and the reason, never the value.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_notes: ContextVar[list[str] | None] = ContextVar("_notes", default=None)


@contextmanager
def collected() -> Iterator[list[str]]:
    """Yield the list to which notes made inside this block are added. Outside of such a block, notes are dropped."""
    notes: list[str] = []
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def note(field: str, why: str) -> None:
    """Note that an optional field was left out or changed: `note("reason", "is cut")` adds "reason is cut"."""
    notes = _notes.get()
    if notes is not None:
        notes.append(f"{field} {why}")
