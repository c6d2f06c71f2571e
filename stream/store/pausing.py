"""The row that says an operator has paused this service. It is in the store, so it survives restarts and promotions."""

from dataclasses import dataclass

from sqlalchemy import Connection

PAUSE = """
INSERT INTO pause (reason, by) VALUES (%(reason)s, %(by)s)
ON CONFLICT (is_paused) DO UPDATE SET reason = excluded.reason, by = excluded.by
"""
RESUME = "DELETE FROM pause"
READ = "SELECT reason, by, (extract(epoch FROM at) * 1e6)::bigint FROM pause"
NOT_PAUSED = "NOT EXISTS (SELECT FROM pause)"
"""An SQL condition for the statements that claim work, such as mails or verification requests."""


@dataclass(frozen=True, slots=True)
class Pause:
    """The pause of a service: the reason, the operator, and its start in microseconds since 1970 UTC."""

    reason: str
    by: str
    since: int


def pause(tx: Connection, reason: str, by: str) -> None:
    """Pause the service. If it is paused already, the reason and the operator change, and the start stays."""
    tx.exec_driver_sql(PAUSE, {"reason": reason, "by": by})


def resume(tx: Connection) -> None:
    """Resume the service. If it is not paused, nothing changes."""
    tx.exec_driver_sql(RESUME)


def read(tx: Connection) -> Pause | None:
    """Return the pause of the service; None if it is not paused."""
    row = tx.exec_driver_sql(READ).one_or_none()
    return None if row is None else Pause(*row)


def carry_over(tx: Connection, live: str) -> None:
    """Replace the pause in the schema of the search path by that of the schema `live`, a quoted name; or by none.

    A promotion calls this before the schema of the search path becomes the live one.
    """
    tx.exec_driver_sql("DELETE FROM pause")
    tx.exec_driver_sql(f"INSERT INTO pause SELECT * FROM {live}.pause")  # noqa: S608 - a quoted name of our own schema
