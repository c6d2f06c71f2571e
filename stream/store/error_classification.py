"""Whose failure it is: the store's, which parks nothing and is waited for, or the event's own."""

from sqlalchemy import exc

from stream.events.json_text import error_text

STORE_CLASSES = ("08", "40", "53", "55", "57", "58", "XX")
"""Of SQLSTATEs (PostgreSQL, appendix A): connection, rollback, resources, object state, operator, system, internal."""
STORE_STATES = ("25006", "25P03", "25P04", "3F000", "42P01", "42P10", "42703")
"""A read-only store; a session or transaction that was ended for idling or for its length; a schema, table, constraint
or column that is not there, as while a backup is restored or before a migration: no event is to blame for that."""


def is_store_failure(failure: Exception) -> bool:
    """Whether the same batch may well succeed once the store is better."""
    if isinstance(failure, exc.DBAPIError):
        state = sqlstate(failure)
        if failure.connection_invalidated or (state is None and isinstance(failure, _UNSTATED)):
            return True
        return state is not None and (state.startswith(STORE_CLASSES) or state in STORE_STATES)
    return isinstance(failure, OSError | exc.TimeoutError)


def sqlstate(failure: Exception) -> str | None:
    """The five letters by which Postgres names what went wrong."""
    state: str | None = getattr(getattr(failure, "orig", None), "sqlstate", None)
    return state


def name(failure: Exception) -> str:
    """What a log may say of a failure: its kind, never the values in it."""
    kind = type(getattr(failure, "orig", None) or failure).__name__
    state = sqlstate(failure)
    return f"{kind} ({state})" if state else kind


def describe(failure: Exception) -> str:
    """What the store keeps of a failure, for the person who looks into it."""
    return error_text(f"{name(failure)}: {str(getattr(failure, 'orig', None) or failure).strip()}")


_UNSTATED = (exc.OperationalError, exc.InterfaceError, exc.InternalError)
