"""Classifies a failure as the store's, after which the same batch is retried, or as the event's own."""

from sqlalchemy import exc

from stream.events.text.json_text import error_text

STORE_CLASSES = ("08", "40", "53", "55", "57", "58", "XX")
"""Classes of SQLSTATEs (PostgreSQL, appendix A): connection exception, transaction rollback, insufficient resources,
object not in prerequisite state, operator intervention, system error, internal error."""
STORE_STATES = ("25006", "25P03", "25P04", "3F000", "42P01", "42P10", "42703")
"""SQLSTATEs no event is to blame for: a read-only transaction; a session or transaction ended by a timeout; a schema,
table, constraint or column that does not exist, as during a restore or before a migration."""


def is_store_failure(failure: Exception) -> bool:
    """Return whether the failure is the store's, so that the same batch may succeed once the store has recovered.

    Such failures are a lost connection, STORE_CLASSES, STORE_STATES, a time-out of the connection pool, any OSError.
    """
    if isinstance(failure, exc.DBAPIError):
        state = sqlstate(failure)
        if failure.connection_invalidated or (state is None and isinstance(failure, _UNSTATED)):
            return True
        return state is not None and (state.startswith(STORE_CLASSES) or state in STORE_STATES)
    return isinstance(failure, OSError | exc.TimeoutError)


def sqlstate(failure: Exception) -> str | None:
    """Return the failure's SQLSTATE, Postgres's error code of five characters; None when it has none."""
    state: str | None = getattr(getattr(failure, "orig", None), "sqlstate", None)
    return state


def name(failure: Exception) -> str:
    """Return the exception's class name and, if it has one, SQLSTATE: for logs, as the message may contain values."""
    kind = type(getattr(failure, "orig", None) or failure).__name__
    state = sqlstate(failure)
    return f"{kind} ({state})" if state else kind


def describe(failure: Exception) -> str:
    """Return the failure's name and message, shortened by `error_text`, for the store, where operators read them."""
    return error_text(f"{name(failure)}: {str(getattr(failure, 'orig', None) or failure).strip()}")


_UNSTATED = (exc.OperationalError, exc.InterfaceError, exc.InternalError)
