"""The mails that are not sent: expires those that nothing finishes any more, and counts the rest."""

from typing import Any

from sqlalchemy import Connection

# A sender that died after it committed `sending` may have sent the dot or not; the reply is lost either way.
EXPIRE_SENDING = """
UPDATE notifications
   SET status = 'unknown',
       error = 'the notifier ended before it stored the reply to the final dot, so it may have been sent'
 WHERE status = 'sending' AND sending_since < now() - %(seconds)s * interval '1 second'
RETURNING notification_id::text
"""

EXPIRE_WAITING = """
UPDATE notifications SET status = CASE WHEN received_at < now() - %(max_age)s * interval '1 second' THEN 'stale'
                                       ELSE 'no_recipient' END,
                         error = 'the address of the recipient did not arrive in time'
 WHERE status = 'waiting' AND created_at < now() - least(%(wait)s, %(max_age)s) * interval '1 second'
RETURNING notification_id::text, status
"""

COUNTS = """
SELECT 'waiting', count(*) FROM notifications WHERE status = 'waiting' UNION ALL
SELECT 'queued', count(*) FROM notifications WHERE status = 'queued' UNION ALL
SELECT 'sending', count(*) FROM notifications WHERE status = 'sending' UNION ALL
SELECT status, count(*) FROM notifications
 WHERE status IN ('failed', 'unknown', 'stale', 'no_recipient') GROUP BY status
"""
"""Each status is counted with an index of its own; `sent` is left out because there are too many."""

OLDEST = """
SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8
  FROM notifications WHERE status IN ('queued', 'sending')
"""

UNSENT = ("waiting", "queued", "sending", "failed", "unknown", "stale", "no_recipient")


def expire_sending(tx: Connection, seconds: float) -> list[str]:
    """Set mails that have been `sending` for more than `seconds` to `unknown`; return their ids."""
    return list(tx.exec_driver_sql(EXPIRE_SENDING, {"seconds": seconds}).scalars())


def expire_waiting(tx: Connection, wait_s: float, max_age_s: float) -> list[tuple[str, str]]:
    """Set mails that waited too long for an address to `no_recipient` or `stale`; return (id, new status) of each.

    The limit is the shorter of `wait_s` and `max_age_s` since the mail was created.
    """
    expired: Any = tx.exec_driver_sql(EXPIRE_WAITING, {"wait": wait_s, "max_age": max_age_s})
    return [(notification_id, status) for notification_id, status in expired]


def counts(tx: Connection) -> dict[str, int]:
    """Return the number of mails by each status of UNSENT, 0 included."""
    found: Any = tx.exec_driver_sql(COUNTS)
    return dict.fromkeys(UNSENT, 0) | {row[0]: row[1] for row in found}


def oldest_age(tx: Connection) -> float:
    """Return the age of the oldest mail that is `queued` or `sending`, in seconds; 0 if there is none."""
    age: float = tx.exec_driver_sql(OLDEST).scalar_one()
    return age
