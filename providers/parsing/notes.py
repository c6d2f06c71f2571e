"""Notes on fields that could not be used as they were sent. Parsers make them, the gateway logs them.

A note names the field and the reason, never the value.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_notes: ContextVar[list[str] | None] = ContextVar("_notes", default=None)


@contextmanager
def collected() -> Iterator[list[str]]:
    """Collect the notes made inside this block. Notes made outside of such a block are dropped."""
    notes: list[str] = []
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def note(field: str, why: str) -> None:
    """Note that an optional field was dropped or changed: `note("reason", "cut to 1000 characters")`."""
    notes = _notes.get()
    if notes is not None:
        notes.append(f"{field} {why}")
