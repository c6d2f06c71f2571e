"""The sessions that have ended before their time: one by its logout, or all of a user. Every replica reads them."""

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
# No session lives longer.
FORGET = "DELETE FROM ended_sessions WHERE ended_at < %(now)s - %(longest)s"


def end(tx: Connection, session: Session, now: int) -> None:
    """End a session. Times are seconds since 1970 UTC."""
    tx.exec_driver_sql(END, {"kind": "session", "name": session.id, "now": now})


def end_all(tx: Connection, user: str, now: int) -> None:
    """End all sessions of a user that were opened until now."""
    tx.exec_driver_sql(END, {"kind": "user", "name": user, "now": now})


def has_ended(tx: Connection, session: Session) -> bool:
    """Return whether a session has been ended."""
    values = {"id": session.id, "user": session.user, "began": session.began}
    return bool(tx.exec_driver_sql(HAS_ENDED, values).scalar_one())


def forget(tx: Connection, now: int) -> None:
    """Delete what no living session needs."""
    tx.exec_driver_sql(FORGET, {"now": now, "longest": ABSOLUTE_S})


def carry_over(tx: Connection, live: str) -> None:
    """Copy the ended sessions from schema `live`, so that they stay ended after a replay is promoted."""
    tx.exec_driver_sql(f"INSERT INTO {TABLE} SELECT * FROM {live}.{TABLE} ON CONFLICT DO NOTHING")  # noqa: S608 - our names
