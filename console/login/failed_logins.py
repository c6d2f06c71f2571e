"""Limits failed logins by user and address, by user, and by address, counted in the store for all replicas together.

The strictest limit is that of a user at one address, so that attempts from elsewhere do not lock the user out. Times
are those of the store's clock.
"""

from hashlib import sha256

from sqlalchemy import Connection

TABLE = "failed_logins"
WINDOW_S = 900
MOST_BY_USER_AND_ADDRESS, MOST_BY_USER, MOST_BY_ADDRESS = 5, 50, 30
"""The failures within WINDOW_S from which no further login may be tried."""

# Of each limit the failure decides that must leave the window before the next login.
WAIT = """
SELECT coalesce(max(extract(epoch FROM deciding.failed_at - now()) + %(window)s), 0)::float
  FROM unnest(%(keys)s::text[], %(most)s::int[]) AS limited (limit_key, most)
 CROSS JOIN LATERAL (
       SELECT failed_at FROM failed_logins
        WHERE failed_logins.limit_key = limited.limit_key AND failed_at > now() - %(window)s * interval '1 second'
        ORDER BY failed_at DESC OFFSET limited.most - 1 LIMIT 1) AS deciding
"""
RECORD = "INSERT INTO failed_logins (limit_key) SELECT unnest(%(keys)s::text[])"
FORGET_OLD = "DELETE FROM failed_logins WHERE failed_at < now() - %(window)s * interval '1 second'"
FORGET = "DELETE FROM failed_logins WHERE limit_key = %(key)s"


def wait(tx: Connection, user: str, address: str) -> float:
    """Return the seconds until this user may try to log in from this address; 0 if at once."""
    limits = _limits(user, address)
    values = {"keys": list(limits), "most": list(limits.values()), "window": WINDOW_S}
    return float(tx.exec_driver_sql(WAIT, values).scalar_one())


def record_failure(tx: Connection, user: str, address: str) -> None:
    """Count a failed login against all three limits, and delete those that have left the window."""
    tx.exec_driver_sql(FORGET_OLD, {"window": WINDOW_S})
    tx.exec_driver_sql(RECORD, {"keys": list(_limits(user, address))})


def record_success(tx: Connection, user: str, address: str) -> None:
    """Forget the failures of this user at this address; those by user alone and by address alone stay."""
    tx.exec_driver_sql(FORGET, {"key": _key(user, address)})


def carry_over(tx: Connection, live: str) -> None:
    """Copy the failures from schema `live`, so that a promoted replay gives nobody new attempts."""
    columns = "limit_key, failed_at"
    tx.exec_driver_sql(f"INSERT INTO {TABLE} ({columns}) SELECT {columns} FROM {live}.{TABLE}")  # noqa: S608 - our names


def _limits(user: str, address: str) -> dict[str, int]:
    """Return, by the key of each of the three limits, the number of failures that it allows."""
    return {
        _key(user, address): MOST_BY_USER_AND_ADDRESS,
        _key(user, ""): MOST_BY_USER,
        _key("", address): MOST_BY_ADDRESS,
    }


def _key(user: str, address: str) -> str:
    """Return a hash: the name may be a password that was typed into the wrong field, or text that no column takes."""
    return sha256(f"{user}\n{address}".encode(errors="replace")).hexdigest()
