"""What people see of mails and decide about them: list, show, resolve, on the management listener."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, exc

from notifier import mail_queue
from notifier.mail import composer
from notifier.mail_queue import Letter
from notifier.sending import notification_events
from notifier.settings import NotifierSettings
from runtime.logging import log
from runtime.management import Refused, Routes
from stream.avro.codec import Codec
from stream.dead_letters.filters import LONGEST, texts
from stream.store import outbox

MOST = 1000
NEED_SOMEBODY = ("failed", "unknown", "no_recipient", "stale")
STATUSES = (*mail_queue.UNSENT, "sent")

LIST = """
SELECT json_build_object('id', notification_id, 'status', status, 'fact_type', fact_type, 'audience', audience,
                         'order_id', order_id, 'customer_id', customer_id, 'attempts', attempts, 'error', error,
                         'created_at', created_at)
  FROM notifications
 WHERE status = ANY (%(statuses)b::text[]) AND (%(orders)b::text[] = '{}' OR order_id = ANY (%(orders)b::text[]))
 ORDER BY created_at DESC LIMIT %(most)s
"""
UNUSABLE = """
SELECT json_build_object('order_id', order_id, 'customer_id', customer_id, 'problem', problem)
  FROM (SELECT order_id, NULL AS customer_id, problem, told_at
          FROM orders CROSS JOIN unnest(ARRAY[customer_email_problem, seller_email_problem]) AS problem
         WHERE (customer_email_problem IS NOT NULL OR seller_email_problem IS NOT NULL) AND problem IS NOT NULL
        UNION ALL
        SELECT NULL, customer_id, email_problem, told_at FROM customers WHERE email_problem IS NOT NULL
       ) AS contacts
 WHERE %(orders)b::text[] = '{}' OR order_id = ANY (%(orders)b::text[])
 ORDER BY told_at DESC LIMIT %(most)s
"""
SHOW = """
SELECT json_build_object('id', notification_id, 'status', status, 'fact_type', fact_type, 'fact_id', fact_id,
                         'audience', audience, 'order_id', order_id, 'customer_id', customer_id,
                         'attempts', attempts, 'error', error, 'received_at', received_at, 'created_at', created_at,
                         'next_attempt_at', CASE WHEN status = 'queued' THEN next_attempt_at END,
                         'sending_since', sending_since, 'sent_at', sent_at, 'resolved_at', resolved_at)
  FROM notifications WHERE notification_id = %(id)s::uuid
"""
LOCK = """
SELECT status, resolved_as, extract(epoch FROM coalesce(sending_since, now())) * 1e6 FROM notifications
 WHERE notification_id = %(id)s::uuid FOR UPDATE
"""
RESOLVE_SENT = """
UPDATE notifications SET status = 'sent', sent_at = coalesce(sending_since, now()), resolved_at = now(),
                         resolved_as = 'sent'
 WHERE notification_id = %(id)s::uuid RETURNING status
"""
SEND_AGAIN = """
UPDATE notifications
   SET status = CASE WHEN received_at < now() - %(max_age)s * interval '1 second' THEN 'stale' ELSE 'queued' END,
       next_attempt_at = now(), resolved_at = now(), resolved_as = 'send_again'
 WHERE notification_id = %(id)s::uuid RETURNING status
"""

RESOLVABLE = {"sent": ("unknown",), "send_again": ("unknown", "failed")}
RESOLVED = {"sent": ("sent",), "send_again": ("queued", "sending", "sent", "stale")}
"""What a mail that was resolved so has become, or may have become since: the same again changes nothing."""


@dataclass(frozen=True, slots=True)
class ManagementApi:
    """The verbs over one store of mails; `wake` lets the sender look at once."""

    settings: NotifierSettings
    store: Engine
    codec: Codec
    wake: Callable[[], None]

    def routes(self) -> Routes:
        """The verbs by method and path."""
        return {
            ("GET", "/mails"): self._asked(self.list),
            ("GET", "/mail"): self._asked(self.show),
            ("POST", "/mails/resolve"): self._asked(self.resolve),
        }

    def list(self, tx: Connection, asked: Mapping[str, Any]) -> object:
        """The newest mails of a status, and how many there are of each in all.

        Without a status those that need somebody, or all of an order's that are not sent; and the newest contacts that
        cannot be mailed, whether a mail waits for them or not.
        """
        status, orders = asked.get("status"), texts(asked, "order")
        if status is not None and status not in STATUSES:
            raise Refused(400, "unknown_status", f"a mail is {', '.join(STATUSES)}")
        statuses = [status] if status else list(mail_queue.UNSENT if orders else NEED_SOMEBODY)
        wanted = {"statuses": statuses, "orders": list(orders), "most": _most(asked.get("limit", "50"))}
        mails = list(tx.exec_driver_sql(LIST, wanted).scalars())
        unusable = [] if status else list(tx.exec_driver_sql(UNUSABLE, wanted).scalars())
        return {"mails": mails, "counts": mail_queue.counts(tx), "unusable_contacts": unusable}

    def show(self, tx: Connection, asked: Mapping[str, Any]) -> object:
        """All of one mail, also its address and its words as they would be sent now."""
        notification_id = _id(asked)
        said = tx.exec_driver_sql(SHOW, {"id": notification_id}).scalar()
        letter = mail_queue.read(tx, notification_id, self.settings.operator_locale)
        if said is None or letter is None:
            raise Refused(404, "unknown_mail", f"there is no mail {notification_id}")
        return {**said, "recipient": letter.recipient, **self._words(letter)}

    def resolve(self, tx: Connection, asked: Mapping[str, Any]) -> object:
        """Settle what only a person can find out: an unknown mail was sent, or is to be sent again (a failed one too).

        Doing it again changes nothing again.
        """
        notification_id, verdict = _id(asked), asked.get("as")
        if verdict not in RESOLVABLE:
            raise Refused(400, "malformed", "say how it is resolved: as sent, or send_again")
        row: Any = tx.exec_driver_sql(LOCK, {"id": notification_id}).one_or_none()
        if row is None:
            raise Refused(404, "unknown_mail", f"there is no mail {notification_id}")
        status, before, sent_at = row
        if status in RESOLVABLE[verdict]:
            status = self._settle(tx, notification_id, verdict, int(sent_at))
            log.info("notification.resolved", id=notification_id, status=status)
            return {"id": notification_id, "status": status, "changed": True}
        if before != verdict or status not in RESOLVED[verdict]:
            which = " or ".join(RESOLVABLE[verdict])
            said = f"mail {notification_id} is {status}; only one that is {which} can be resolved so"
            raise Refused(409, "not_resolvable", said)
        return {"id": notification_id, "status": status, "changed": False}

    def _settle(self, tx: Connection, notification_id: str, verdict: str, sent_at: int) -> str:
        wanted = {"id": notification_id, "max_age": self.settings.mail_max_age}
        if verdict == "send_again":
            return str(tx.exec_driver_sql(SEND_AGAIN, wanted).scalar_one())
        letter = mail_queue.read(tx, notification_id, self.settings.operator_locale)
        if letter:
            outbox.insert(tx, [notification_events.sent(letter, self.settings.branding, sent_at, self.codec)])
        return str(tx.exec_driver_sql(RESOLVE_SENT, {"id": notification_id}).scalar_one())

    def _words(self, letter: Letter) -> dict[str, str]:
        named = {"message_id": composer.message_id(letter, self.settings.branding), "locale": composer.locale(letter)}
        try:
            said = composer.words(letter, self.settings.branding)
        except Exception as broken:  # noqa: BLE001 - why a letter cannot be written is what somebody came to see
            return {**named, "text": f"cannot be written: {type(broken).__name__}: {broken}"}
        return {**named, "subject": said.title, "text": said.text}

    def _asked(self, verb: Callable[[Connection, Mapping[str, Any]], object]) -> Callable[[Mapping[str, Any]], object]:
        def answer(asked: Mapping[str, Any]) -> object:
            try:
                with self.store.begin() as tx:
                    said = verb(tx, asked)
            except exc.SQLAlchemyError as failure:  # a pool that has none to give is away too
                raise Refused(503, "store_away", "the notifier's store does not answer; try again") from failure
            self.wake()
            return said

        return answer


def _id(asked: Mapping[str, Any]) -> str:
    try:
        return str(UUID(str(asked.get("id", ""))))
    except ValueError as wrong:
        raise Refused(400, "malformed", "id must be a mail's id, a UUID") from wrong


def _most(said: Any) -> int:
    text = str(said)
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST and 1 <= int(text) <= MOST):
        raise Refused(400, "malformed", f"limit must be between 1 and {MOST}")
    return int(text)
