"""Messages on their way out: the rows the sender claims, and what became of each.

A claim is a row lock held while the mail server is spoken to: it vanishes with its holder. `sending` is committed
directly before the final dot, and from then on nobody sends that mail again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

COLUMNS = """
notification_id::text, fact_id::text, fact_type, audience, channel, order_id, customer_id, user_id, fact::text,
attempts, recipient, name, CASE audience WHEN 'operator' THEN %(operator_locale)s ELSE locale END, link, problem
"""
CLAIM = f"""
WITH due AS (
    SELECT notification_id, received_at < now() - %(max_age)s * interval '1 second' AS stale, next_attempt_at
      FROM notifications
     WHERE status = 'queued' AND next_attempt_at <= now()
     ORDER BY next_attempt_at LIMIT %(most)s FOR UPDATE SKIP LOCKED)
SELECT {COLUMNS}, stale
  FROM addressed JOIN due USING (notification_id)
 ORDER BY next_attempt_at
"""  # noqa: S608 - our own columns
READ = f"SELECT {COLUMNS} FROM addressed WHERE notification_id = %(id)s::uuid"  # noqa: S608 - our own columns

# The mail server is spoken to while the claim is held, and may take its time for each of its replies.
PATIENCE = "SET LOCAL idle_in_transaction_session_timeout = '10min'"

# Not now(): the transaction may have begun minutes ago, with a slow mail server, and ABANDONED counts from here.
SENDING = """
UPDATE notifications SET status = 'sending', sending_since = statement_timestamp(), attempts = attempts + 1
 WHERE notification_id = ANY (%(ids)b::text[]::uuid[])
RETURNING sending_since
"""
UNSENT_AFTER_ALL = """
UPDATE notifications SET status = 'queued', next_attempt_at = now()
 WHERE notification_id = ANY (%(ids)b::text[]::uuid[]) AND status = 'sending' AND sending_since = %(since)s
"""
SENT = """
UPDATE notifications SET status = 'sent', sent_at = now(), error = NULL
 WHERE notification_id = ANY (%(ids)b::text[]::uuid[])
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
RETURNING notification_id::text
"""

OVERDUE = """
UPDATE notifications SET status = CASE WHEN received_at < now() - %(max_age)s * interval '1 second' THEN 'stale'
                                       ELSE 'no_recipient' END,
                         error = 'nobody told the address of its reader in time'
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
"""Each from an index of its own; those that were sent are too many to count."""

OLDEST = """
SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8
  FROM notifications WHERE status IN ('queued', 'sending')
"""

UNSENT = ("waiting", "queued", "sending", "failed", "unknown", "stale", "no_recipient")


@dataclass(frozen=True, slots=True)
class Letter:
    """A message: the fact it tells as JSON, its reader, and what the reader likes.

    `customer_id` is the customer the fact is about, `user_id` the reader, as far as either is known. `recipient` is the
    reader's address; without one `problem` may say why a contact that was given cannot be used.
    """

    notification_id: str
    fact_id: str
    fact_type: str
    audience: str
    channel: str
    order_id: str | None
    customer_id: str | None
    user_id: str | None
    fact: str
    attempts: int
    recipient: str | None
    name: str | None
    locale: str | None
    link: str | None
    problem: str | None = None
    stale: bool = False


def claim(tx: Connection, operator_locale: str, max_age_s: float, most: int) -> list[Letter]:
    """The messages that have been due longest, kept from other senders until the transaction ends."""
    tx.exec_driver_sql(PATIENCE)
    wanted = {"operator_locale": operator_locale, "max_age": max_age_s, "most": most}
    rows: Any = tx.exec_driver_sql(CLAIM, wanted)
    return [Letter(*row) for row in rows]


def first_of_each_order(letters: Iterable[Letter]) -> list[Letter]:
    """Leave out the later messages of an order (or of a customer without one) to one audience.

    The mail server may finish what is sent to it together in any order, and a reader expects "paid" before "shipped".
    """
    first: dict[object, Letter] = {}
    for letter in letters:
        about = letter.order_id or letter.customer_id
        first.setdefault((about, letter.audience) if about else letter.notification_id, letter)
    return list(first.values())


def read(tx: Connection, notification_id: str, operator_locale: str) -> Letter | None:
    """A message by its id, claimed by nobody."""
    row: Any = tx.exec_driver_sql(READ, {"operator_locale": operator_locale, "id": notification_id}).one_or_none()
    return Letter(*row) if row else None


def sending(tx: Connection, letters: Sequence[Letter]) -> datetime:
    """Mark messages as possibly sent from this commit on; return the time of that, which identifies the attempt."""
    since: datetime = tx.exec_driver_sql(SENDING, _ids(letters)).scalars().all()[0]
    return since


def not_sent(tx: Connection, letters: Sequence[Letter], since: datetime) -> None:
    """The attempt since then came to nothing: its commit was not heard of, and its dots were not sent."""
    tx.exec_driver_sql(UNSENT_AFTER_ALL, {**_ids(letters), "since": since})


def sent(tx: Connection, letters: Sequence[Letter]) -> None:
    """The mail server has taken these."""
    tx.exec_driver_sql(SENT, _ids(letters))


def postponed(tx: Connection, letter: Letter, seconds: float, error: str) -> None:
    """The mail server has not taken it; try again after so many seconds."""
    row = {"id": letter.notification_id, "attempts": letter.attempts + 1, "seconds": seconds, "error": error}
    tx.exec_driver_sql(POSTPONED, row)


def ended(tx: Connection, letter: Letter, status: str, error: str) -> None:
    """It is not sent again by itself: `failed`, `stale`, `unknown`, or `no_recipient` until an address is told."""
    tx.exec_driver_sql(ENDED, {"id": letter.notification_id, "status": status, "error": error})


def give_up_abandoned(tx: Connection, seconds: float) -> list[str]:
    """Report as `unknown` what somebody has been sending for longer than sending can take; the ids."""
    return list(tx.exec_driver_sql(ABANDONED, {"seconds": seconds}).scalars())


def give_up_waiting(tx: Connection, wait_s: float, max_age_s: float) -> list[tuple[str, str]]:
    """Give up on readers who stayed unknown for `wait_s` since we first looked for them; ids and new statuses."""
    given_up: Any = tx.exec_driver_sql(OVERDUE, {"wait": wait_s, "max_age": max_age_s})
    return [(notification_id, status) for notification_id, status in given_up]


def counts(tx: Connection) -> dict[str, int]:
    """How many messages stand at each status but `sent`."""
    found: Any = tx.exec_driver_sql(COUNTS)
    return dict.fromkeys(UNSENT, 0) | {row[0]: row[1] for row in found}


def oldest_age(tx: Connection) -> float:
    """Return the age of the oldest mail that could be sent and is not, in seconds; 0 without one."""
    age: float = tx.exec_driver_sql(OLDEST).scalar_one()
    return age


def _ids(letters: Sequence[Letter]) -> dict[str, list[str]]:
    return {"ids": [letter.notification_id for letter in letters]}
