"""The queue of mails: the SQL by which the sender claims them and records the results.

A claim is a row lock, held while the sender talks to the mail server; it ends with its transaction. The status
`sending` is committed just before the final dot; from then on the mail is not sent again automatically.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from stream.events import OrderId
from stream.store.pausing import NOT_PAUSED

COLUMNS = """
notification_id::text, event_id::text, event_type, audience, channel, order_id, customer_id, user_id, event::text,
attempts, recipient, name, CASE audience WHEN 'operator' THEN %(operator_locale)s ELSE locale END, link, problem,
again_of::text
"""
CLAIM = f"""
WITH due AS (
    SELECT notification_id, received_at < now() - %(max_age)s * interval '1 second' AS stale, next_attempt_at
      FROM notifications
     WHERE status = 'queued' AND next_attempt_at <= now() AND {NOT_PAUSED}
     ORDER BY next_attempt_at LIMIT %(most)s FOR UPDATE SKIP LOCKED)
SELECT {COLUMNS}, stale
  FROM addressed JOIN due USING (notification_id)
 ORDER BY next_attempt_at
"""  # noqa: S608 - our own columns
CLAIM_PROBE = f"""
WITH first AS (
    SELECT DISTINCT ON (coalesce(order_id, customer_id, notification_id::text), audience)
           notification_id, attempts, error IS NOT NULL AS is_tried
      FROM notifications
     WHERE status = 'queued' AND next_attempt_at <= now() AND {NOT_PAUSED}
     ORDER BY coalesce(order_id, customer_id, notification_id::text), audience, next_attempt_at),
due AS (
    SELECT notification_id, received_at < now() - %(max_age)s * interval '1 second' AS stale
      FROM notifications JOIN first USING (notification_id)
     WHERE status = 'queued'
     ORDER BY first.attempts, is_tried, next_attempt_at LIMIT 1 FOR UPDATE OF notifications SKIP LOCKED)
SELECT {COLUMNS}, stale FROM addressed JOIN due USING (notification_id)
"""  # noqa: S608 - our own columns
HAS_DUE = f"""
SELECT EXISTS (SELECT 1 FROM notifications WHERE status = 'queued' AND next_attempt_at <= now() AND {NOT_PAUSED})
"""  # noqa: S608 - our own condition
READ = f"SELECT {COLUMNS} FROM addressed WHERE notification_id = %(id)s::uuid"  # noqa: S608 - our own columns

# The claim is held while the sender talks to the mail server, which may take MAIL_TIMEOUT_S for each reply.
IDLE_TIMEOUT = "SET LOCAL idle_in_transaction_session_timeout = '10min'"

# Not now(): with a slow mail server the transaction may have begun minutes ago, and EXPIRE_SENDING counts from here.
MARK_SENDING = """
UPDATE notifications SET status = 'sending', sending_since = statement_timestamp(), attempts = attempts + 1
 WHERE notification_id = ANY (%(ids)b::text[]::uuid[])
RETURNING sending_since
"""
REQUEUE = """
UPDATE notifications SET status = 'queued', next_attempt_at = now()
 WHERE notification_id = ANY (%(ids)b::text[]::uuid[]) AND status = 'sending' AND sending_since = %(since)s
"""
MARK_SENT = """
UPDATE notifications SET status = 'sent', sent_at = now(), error = NULL
 WHERE notification_id = ANY (%(ids)b::text[]::uuid[])
"""
POSTPONE = """
UPDATE notifications SET status = 'queued', attempts = %(attempts)s, error = %(error)s,
                         next_attempt_at = now() + %(seconds)s * interval '1 second'
 WHERE notification_id = %(id)s::uuid
"""
END = "UPDATE notifications SET status = %(status)s, error = %(error)s WHERE notification_id = %(id)s::uuid"


@dataclass(frozen=True, slots=True)
class QueuedMail:
    """A mail, its domain event as JSON, and the contact that it goes to.

    `customer_id` is the customer of the event, `user_id` the recipient; either may be unknown. `recipient` is the
    address; without one, `problem` may say why the given contact cannot be used. `again_of` is the id of the mail that
    is sent again as this one. Only `claim` and `claim_probe` set `stale`, for a mail older than MAIL_MAX_AGE.
    """

    notification_id: str
    event_id: str
    event_type: str
    audience: str
    channel: str
    order_id: OrderId | None
    customer_id: str | None
    user_id: str | None
    event: str
    attempts: int
    recipient: str | None
    name: str | None
    locale: str | None
    link: str | None
    problem: str | None = None
    again_of: str | None = None
    stale: bool = False


def claim(tx: Connection, operator_locale: str, max_age_s: float, most: int) -> list[QueuedMail]:
    """Lock up to `most` mails that are due until the transaction ends, and return them, those due longest first.

    Mails that other senders have locked are skipped. None is due while the notifier is paused. `operator_locale` is the
    language of mails to the operator.
    """
    tx.exec_driver_sql(IDLE_TIMEOUT)
    values = {"operator_locale": operator_locale, "max_age": max_age_s, "most": most}
    rows: Any = tx.exec_driver_sql(CLAIM, values)
    return [QueuedMail(*row) for row in rows]


def claim_probe(tx: Connection, operator_locale: str, max_age_s: float) -> list[QueuedMail]:
    """Lock one mail as `claim` does: the one with the fewest attempts, and of those one that was never offered.

    Only the first mail due per audience and order, or customer, is considered: "paid" must arrive before "shipped".
    """
    tx.exec_driver_sql(IDLE_TIMEOUT)
    rows: Any = tx.exec_driver_sql(CLAIM_PROBE, {"operator_locale": operator_locale, "max_age": max_age_s})
    return [QueuedMail(*row) for row in rows]


def has_due(tx: Connection) -> bool:
    """Return whether a mail is due, locked by another sender or not; False while the notifier is paused."""
    return bool(tx.exec_driver_sql(HAS_DUE).scalar_one())


def first_of_each_order(mails: Iterable[QueuedMail]) -> list[QueuedMail]:
    """Return the first mail per audience and order, or customer if there is no order; leave out later ones.

    Mails with neither are all returned. A mail server may deliver mails that are sent together in any order, and "paid"
    must arrive before "shipped".
    """
    first: dict[object, QueuedMail] = {}
    for mail in mails:
        subject = mail.order_id or mail.customer_id
        first.setdefault((subject, mail.audience) if subject else mail.notification_id, mail)
    return list(first.values())


def read(tx: Connection, notification_id: str, operator_locale: str) -> QueuedMail | None:
    """Return a mail without locking it; None if the id is unknown.

    `operator_locale` is the language of mails to the operator.
    """
    row: Any = tx.exec_driver_sql(READ, {"operator_locale": operator_locale, "id": notification_id}).one_or_none()
    return QueuedMail(*row) if row else None


def mark_sending(tx: Connection, mails: Sequence[QueuedMail]) -> datetime:
    """Set mails, at least one, to `sending`, and count the attempt.

    Return the time of that statement, which identifies the attempt for `requeue`.
    """
    since: datetime = tx.exec_driver_sql(MARK_SENDING, _ids(mails)).scalars().all()[0]
    return since


def requeue(tx: Connection, mails: Sequence[QueuedMail], since: datetime) -> None:
    """Set mails whose dots were not sent back to `queued`, after a commit of `mark_sending` with an unknown result.

    Mails that are not `sending` since `since` stay as they are. The attempt stays counted.
    """
    tx.exec_driver_sql(REQUEUE, {**_ids(mails), "since": since})


def mark_sent(tx: Connection, mails: Sequence[QueuedMail]) -> None:
    """Set mails to `sent`: the mail server has accepted them."""
    tx.exec_driver_sql(MARK_SENT, _ids(mails))


def postpone(tx: Connection, mail: QueuedMail, seconds: float, error: str) -> None:
    """Set a mail back to `queued`, due again after `seconds`, and count the attempt."""
    row = {"id": mail.notification_id, "attempts": mail.attempts + 1, "seconds": seconds, "error": error}
    tx.exec_driver_sql(POSTPONE, row)


def put_back(tx: Connection, mail: QueuedMail, error: str) -> None:
    """Set a mail back to `queued` behind those that are due now, without counting the attempt."""
    row = {"id": mail.notification_id, "attempts": mail.attempts, "seconds": 0, "error": error}
    tx.exec_driver_sql(POSTPONE, row)


def end(tx: Connection, mail: QueuedMail, status: str, error: str) -> None:
    """Set a status in which the mail is not sent: `failed`, `stale`, `unknown`, or `no_recipient`.

    A mail that is `no_recipient` is queued again when a usable address arrives; the others need a person.
    """
    tx.exec_driver_sql(END, {"id": mail.notification_id, "status": status, "error": error})


def _ids(mails: Sequence[QueuedMail]) -> dict[str, list[str]]:
    return {"ids": [mail.notification_id for mail in mails]}
