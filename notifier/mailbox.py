"""Messages on their way out: the rows the sender claims, and what became of each.

A claim is a row lock held while the mail server is spoken to: it vanishes with its holder. `sending` is committed
directly before the final dot, and from then on nobody sends that mail again.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

CLAIM = """
WITH due AS (
    SELECT notification_id FROM notifications
     WHERE status = 'queued' AND next_attempt_at <= now()
     ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
SELECT notification_id::text, fact_id::text, fact_type, audience, channel, order_id, customer_id, fact::text, attempts,
       recipient, name, locale, link
  FROM addressed JOIN due USING (notification_id)
"""

SENDING = """
UPDATE notifications SET status = 'sending', sending_since = now(), attempts = attempts + 1
 WHERE notification_id = %(id)s::uuid
"""
SENT = """
UPDATE notifications SET status = 'sent', sent_at = now(), error = NULL WHERE notification_id = %(id)s::uuid
"""
POSTPONED = """
UPDATE notifications SET status = 'queued', attempts = %(attempts)s, error = %(error)s,
                         next_attempt_at = now() + %(seconds)s * interval '1 second'
 WHERE notification_id = %(id)s::uuid
"""
ENDED = "UPDATE notifications SET status = %(status)s, error = %(error)s WHERE notification_id = %(id)s::uuid"

# A sender that died after the dot cannot say what the mail server made of it, and nobody else can.
ABANDONED = """
UPDATE notifications SET status = 'unknown', error = 'the notifier ended between the final dot and its reply'
 WHERE status = 'sending' AND sending_since < now() - %(seconds)s * interval '1 second'
"""


@dataclass(frozen=True, slots=True)
class Letter:
    """A claimed message: the fact it tells as JSON, its reader, and what the reader likes."""

    notification_id: str
    fact_id: str
    fact_type: str
    audience: str
    channel: str
    order_id: str | None
    customer_id: str | None
    fact: str
    attempts: int
    recipient: str
    name: str | None
    locale: str | None
    link: str | None


def claim(tx: Connection) -> Letter | None:
    """The message that has been due longest, kept from other senders until the transaction ends."""
    row: Any = tx.exec_driver_sql(CLAIM).one_or_none()
    return Letter(*row) if row else None


def sending(tx: Connection, letter: Letter) -> None:
    """From this commit on the message may have been sent."""
    tx.exec_driver_sql(SENDING, {"id": letter.notification_id})


def sent(tx: Connection, letter: Letter) -> None:
    """The mail server has taken it."""
    tx.exec_driver_sql(SENT, {"id": letter.notification_id})


def postponed(tx: Connection, letter: Letter, seconds: float, error: str) -> None:
    """The mail server has not taken it; try again after so many seconds."""
    row = {"id": letter.notification_id, "attempts": letter.attempts + 1, "seconds": seconds, "error": error}
    tx.exec_driver_sql(POSTPONED, row)


def ended(tx: Connection, letter: Letter, status: str, error: str) -> None:
    """It will not be sent by us again: `failed` for good, or `unknown`."""
    tx.exec_driver_sql(ENDED, {"id": letter.notification_id, "status": status, "error": error})


def give_up_abandoned(tx: Connection, seconds: float) -> int:
    """Report as `unknown` what somebody has been sending for longer than sending can take."""
    return tx.exec_driver_sql(ABANDONED, {"seconds": seconds}).rowcount
