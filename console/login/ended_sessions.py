"""The sessions that ended before they expired, stored for all replicas: one by its logout, or all of a user.

Times are seconds since 1970 UTC.
"""

from sqlalchemy import Connection

from console.login.sessions import ABSOLUTE_S, Session

TABLE = "ended_sessions"
END = """
INSERT INTO ended_sessions AS kept (kind, name, ended_at) VALUES (%(kind)s, %(name)s, %(now)s)
ON CONFLICT (kind, name) DO UPDATE SET ended_at = greatest(kept.ended_at, excluded.ended_at)
"""
HAS_ENDED = """
SELECT EXISTS (SELECT FROM ended_sessions WHERE kind = 'session' AND name = %(id)s)
    OR EXISTS (SELECT FROM ended_sessions WHERE kind = 'user' AND name = %(user)s AND ended_at >= %(began)s)
"""
# No session lasts longer than `longest`.
FORGET = "DELETE FROM ended_sessions WHERE ended_at < %(now)s - %(longest)s"


def end(tx: Connection, session: Session, now: int) -> None:
    """End one session, at every replica once the transaction is committed."""
    tx.exec_driver_sql(END, {"kind": "session", "name": session.id, "now": now})


def end_all(tx: Connection, user: str, now: int) -> None:
    """End all sessions that the user opened until `now`, at every replica once the transaction is committed."""
    tx.exec_driver_sql(END, {"kind": "user", "name": user, "now": now})


def has_ended(tx: Connection, session: Session) -> bool:
    """Return whether this session, or all of its user, have been ended. A session that only expired has not been."""
    values = {"id": session.id, "user": session.user, "began": session.began}
    return bool(tx.exec_driver_sql(HAS_ENDED, values).scalar_one())


def forget(tx: Connection, now: int) -> None:
    """Delete the entries whose sessions have expired anyway: those older than ABSOLUTE_S."""
    tx.exec_driver_sql(FORGET, {"now": now, "longest": ABSOLUTE_S})


def carry_over(tx: Connection, live: str) -> None:
    """Copy the ended sessions from schema `live`, so that they stay ended after a replay is promoted."""
    tx.exec_driver_sql(f"INSERT INTO {TABLE} SELECT * FROM {live}.{TABLE} ON CONFLICT DO NOTHING")  # noqa: S608 - our names
