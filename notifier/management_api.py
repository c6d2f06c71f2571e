"""Management endpoints for mails: list, show, resolve, send now, send again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, exc

from notifier import mail_queue, operator_alerts
from notifier.mail import composer
from notifier.mail_queue import QueuedMail
from notifier.sending import notification_events
from notifier.settings import NotifierSettings
from runtime.logging import log
from runtime.management import RequestRefused, Routes
from runtime.openapi import FLAG, TEXT, UUID_TEXT, Operation, Schema, array, described, integer, record
from stream.avro.codec import Codec
from stream.dead_letters.filters import LONGEST, texts
from stream.events import ids
from stream.store import outbox

MAX_LIMIT = 1000
NEED_OPERATOR = ("failed", "unknown", "no_recipient", "stale")
STATUSES = (*mail_queue.UNSENT, "sent")

LIST = """
SELECT json_build_object('id', notification_id, 'status', status, 'event_type', event_type, 'audience', audience,
                         'order_id', order_id, 'customer_id', customer_id, 'attempts', attempts, 'error', error,
                         'created_at', created_at)
  FROM notifications
 WHERE status = ANY (%(statuses)b::text[]) AND (%(orders)b::text[] = '{}' OR order_id = ANY (%(orders)b::text[]))
 ORDER BY created_at DESC LIMIT %(most)s
"""
UNUSABLE = """
SELECT json_build_object('order_id', order_id, 'customer_id', customer_id, 'problem', problem)
  FROM (SELECT order_id, NULL AS customer_id, problem, stated_at
          FROM orders CROSS JOIN unnest(ARRAY[customer_email_problem, seller_email_problem]) AS problem
         WHERE (customer_email_problem IS NOT NULL OR seller_email_problem IS NOT NULL) AND problem IS NOT NULL
        UNION ALL
        SELECT NULL, customer_id, email_problem, stated_at FROM customers WHERE email_problem IS NOT NULL
       ) AS contacts
 WHERE %(orders)b::text[] = '{}' OR order_id = ANY (%(orders)b::text[])
 ORDER BY stated_at DESC LIMIT %(most)s
"""
SHOW = """
SELECT json_build_object('id', notification_id, 'status', status, 'event_type', event_type, 'event_id', event_id,
                         'audience', audience, 'order_id', order_id, 'customer_id', customer_id,
                         'attempts', attempts, 'error', error, 'received_at', received_at, 'created_at', created_at,
                         'next_attempt_at', CASE WHEN status = 'queued' THEN next_attempt_at END,
                         'sending_since', sending_since, 'sent_at', sent_at, 'resolved_at', resolved_at,
                         'again_of', again_of)
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

# A mail that is sent again is a new one, with an id of its own: NotificationSent is then published for both.
INSERT_AGAIN = """
INSERT INTO notifications (notification_id, event_id, event_type, audience, channel, order_id, customer_id, contact,
                           contact_problem, event, status, again_of)
SELECT %(again)s::uuid, event_id, event_type, audience, channel, order_id, customer_id, contact, contact_problem, event,
       'queued', notification_id
  FROM notifications WHERE notification_id = %(id)s::uuid
ON CONFLICT (notification_id) DO NOTHING
"""
# A replay may have read that a mail was sent, and not its event.
HAS_EVENT = "SELECT event::text <> '{}' FROM notifications WHERE notification_id = %(id)s::uuid"
SEND_NOW = "UPDATE notifications SET next_attempt_at = now() WHERE notification_id = %(id)s::uuid AND status = 'queued'"

REPEATABLE = ("sent", "stale")
"""The statuses of mails that can be sent again as another mail; for `failed` and `unknown` ones there is `resolve`."""
RESOLVABLE = {"sent": ("unknown",), "send_again": ("unknown", "failed")}
RESOLVED = {"sent": ("sent",), "send_again": ("queued", "sending", "sent", "stale")}
"""The statuses a mail may have after it was resolved this way. Resolving it again changes nothing."""

LONGEST_ALERT = 20_000
ALERT = Operation(
    "Mail the operator an alert",
    body=record(id=UUID_TEXT, text={"type": "string", "minLength": 1, "maxLength": LONGEST_ALERT}),
    response=record(raised=FLAG),
    refusals=(503,),
)
MAIL = record(id=TEXT, status=TEXT, event_type=TEXT, audience=TEXT)
DECISION: dict[str, Schema] = {"id": UUID_TEXT, "as": {"type": "string", "enum": list(RESOLVABLE)}}
LISTED = Operation(
    "Mails of a status, or those of an order that are not sent",
    query={
        "status": {"type": "string", "enum": list(STATUSES)},
        "order": {"type": "string", "minLength": 1, "maxLength": LONGEST},
        "limit": integer(1, MAX_LIMIT, 50),
    },
    response=record(mails=array(MAIL), counts=record(), unusable_contacts=array(record(problem=TEXT))),
    refusals=(503,),
)
SHOWN = Operation("One mail with its text", required={"id": UUID_TEXT}, response=MAIL, refusals=(404, 503))
BY_PERSON: dict[str, Schema] = {"id": UUID_TEXT}
SENT_NOW = Operation(
    "Send a queued mail now", body=record(**BY_PERSON), response=record(id=TEXT), refusals=(404, 409, 503)
)
SENT_AGAIN = Operation(
    "Send a mail again, as another one",
    body=record(**BY_PERSON, decision=TEXT),
    response=record(id=TEXT),
    refusals=(404, 409, 503),
)
RESOLVED_MAIL = Operation(
    "Record what a person found out about a mail",
    body=record(**DECISION),
    response=record(id=TEXT, status=TEXT, changed=FLAG),
    refusals=(404, 409, 503),
)


@dataclass(frozen=True, slots=True)
class ManagementApi:
    """Endpoints over the store of mails. `on_change` makes the sender look at the queue at once."""

    settings: NotifierSettings
    store: Engine
    codec: Codec
    on_change: Callable[[], None]

    def routes(self) -> Routes:
        """Return the handlers by method and path."""
        return {
            ("GET", "/mails"): self._handler(self.list, LISTED),
            ("GET", "/mail"): self._handler(self.show, SHOWN),
            ("POST", "/mails/resolve"): self._handler(self.resolve, RESOLVED_MAIL),
            ("POST", "/mails/send-now"): self._handler(self.send_now, SENT_NOW),
            ("POST", "/mails/send-again"): self._handler(self.send_again, SENT_AGAIN),
            ("POST", "/alerts"): self._handler(self.alert, ALERT),
        }

    def list(self, tx: Connection, params: Mapping[str, object]) -> object:
        """Return the newest mails of a status, the number of mails by status, and the newest unusable contacts.

        Without a status, list the mails that need the operator; with an order, all its mails that are not sent.
        Unusable contacts are listed even if no mail waits for them. Raises RequestRefused (400) for an unknown status
        or a bad limit.
        """
        status, orders = params.get("status"), texts(params, "order")
        if status is not None and status not in STATUSES:
            raise RequestRefused(400, "unknown_status", f"a mail is {', '.join(STATUSES)}")
        statuses = [status] if status else list(mail_queue.UNSENT if orders else NEED_OPERATOR)
        values = {"statuses": statuses, "orders": list(orders), "most": _limit(params.get("limit", "50"))}
        mails = list(tx.exec_driver_sql(LIST, values).scalars())
        unusable = [] if status else list(tx.exec_driver_sql(UNUSABLE, values).scalars())
        return {"mails": mails, "counts": mail_queue.counts(tx), "unusable_contacts": unusable}

    def show(self, tx: Connection, params: Mapping[str, object]) -> object:
        """Return a mail with its address, and its text and HTML as they would be sent now.

        Raises RequestRefused: 400 if the id is not a UUID, 404 if there is no such mail.
        """
        notification_id = _id(params)
        row = tx.exec_driver_sql(SHOW, {"id": notification_id}).scalar()
        mail = mail_queue.read(tx, notification_id, self.settings.operator_locale)
        if row is None or mail is None:
            raise RequestRefused(404, "unknown_mail", f"there is no mail {notification_id}")
        return {**row, "recipient": mail.recipient, **self._content(mail)}

    def resolve(self, tx: Connection, params: Mapping[str, object]) -> object:
        """Record a person's decision: an `unknown` mail was sent, or an `unknown` or `failed` mail is to be sent again.

        The operation is idempotent. Raises RequestRefused: 400 for a bad id or decision, 404 if there is no such
        mail, 409 if its status does not allow the decision.
        """
        notification_id, decision = _id(params), params.get("as")
        if decision not in RESOLVABLE:
            raise RequestRefused(400, "malformed", "`as` must be sent or send_again")
        row: Any = tx.exec_driver_sql(LOCK, {"id": notification_id}).one_or_none()
        if row is None:
            raise RequestRefused(404, "unknown_mail", f"there is no mail {notification_id}")
        status, before, sent_at = row
        if status in RESOLVABLE[decision]:
            status = self._settle(tx, notification_id, decision, int(sent_at))
            log.info("notification.resolved", id=notification_id, status=status)
            return {"id": notification_id, "status": status, "changed": True}
        if before != decision or status not in RESOLVED[decision]:
            resolvable = " or ".join(RESOLVABLE[decision])
            message = f"mail {notification_id} is {status}; {decision} applies only to a mail that is {resolvable}"
            raise RequestRefused(409, "not_resolvable", message)
        return {"id": notification_id, "status": status, "changed": False}

    def send_now(self, tx: Connection, params: Mapping[str, object]) -> object:
        """Make a queued mail due at once, without waiting for its next attempt.

        A mail that is being sent or was sent stays as it is. Raises RequestRefused: 400 for a bad id, 404 if there
        is no such mail, 409 if it cannot be sent.
        """
        notification_id = _id(params)
        status = self._status(tx, notification_id)
        if status not in ("queued", "sending", "sent"):
            raise RequestRefused(
                409, "not_queued", f"mail {notification_id} is {status}; only a queued mail can be sent now"
            )
        changed = tx.exec_driver_sql(SEND_NOW, {"id": notification_id}).rowcount > 0
        return {"id": notification_id, "status": status, "changed": changed}

    def send_again(self, tx: Connection, params: Mapping[str, object]) -> object:
        """Send a `sent` or `stale` mail again as another one, to the address that is known now.

        `decision` identifies the operator's decision: repeating the request sends nothing more. Raises
        RequestRefused: 400 for a bad id or decision, 404 if there is no such mail, 409 if it cannot be sent again.
        """
        notification_id, decision = _id(params), _decision(params)
        status = self._status(tx, notification_id)
        if status not in REPEATABLE:
            message = f"mail {notification_id} is {status}; only a mail that is sent or stale can be sent again"
            raise RequestRefused(409, "not_repeatable", message)
        mail = mail_queue.read(tx, notification_id, self.settings.operator_locale)
        if mail is None or not tx.exec_driver_sql(HAS_EVENT, {"id": notification_id}).scalar():
            raise RequestRefused(409, "no_event", f"the event of mail {notification_id} is not in the notifier's store")
        if mail.recipient is None:
            raise RequestRefused(409, "no_recipient", f"no usable address is known for mail {notification_id}")
        again = ids.notification_again_id(notification_id, decision)
        changed = tx.exec_driver_sql(INSERT_AGAIN, {"id": notification_id, "again": again}).rowcount > 0
        if changed:
            log.info("notification.again", id=again, cause=f"of {notification_id}")
        return {"id": again, "status": self._status(tx, again), "changed": changed, "againOf": notification_id}

    @staticmethod
    def _status(tx: Connection, notification_id: str) -> str:
        """Lock a mail and return its status. Raises RequestRefused (404) if there is none."""
        row: Any = tx.exec_driver_sql(LOCK, {"id": notification_id}).one_or_none()
        if row is None:
            raise RequestRefused(404, "unknown_mail", f"there is no mail {notification_id}")
        return str(row[0])

    def alert(self, tx: Connection, params: Mapping[str, Any]) -> object:
        """Mail the operator an alert that the console found, with the next mail of alerts. Idempotent.

        Raises Refused (400) for a bad id or text.
        """
        text = params.get("text")
        if not (isinstance(text, str) and 0 < len(text) <= LONGEST_ALERT):
            raise RequestRefused(400, "malformed", f"text must be a text of 1 to {LONGEST_ALERT} characters")
        raised = operator_alerts.raise_from_console(tx, _id(params), text.replace("\0", "\ufffd"))
        return {"raised": raised}

    def _settle(self, tx: Connection, notification_id: str, decision: str, sent_at: int) -> str:
        values = {"id": notification_id, "max_age": self.settings.mail_max_age}
        if decision == "send_again":
            return str(tx.exec_driver_sql(SEND_AGAIN, values).scalar_one())
        mail = mail_queue.read(tx, notification_id, self.settings.operator_locale)
        if mail:
            outbox.insert(tx, [notification_events.sent_message(mail, self.settings.branding, sent_at, self.codec)])
        return str(tx.exec_driver_sql(RESOLVE_SENT, {"id": notification_id}).scalar_one())

    def _content(self, mail: QueuedMail) -> dict[str, str]:
        headers = {"message_id": composer.message_id(mail, self.settings.branding), "locale": composer.locale(mail)}
        try:
            content = composer.compose(mail, self.settings.branding)
        except Exception as error:  # noqa: BLE001 - the error is shown to the operator
            return {**headers, "text": f"cannot be written: {type(error).__name__}: {error}"}
        return {**headers, "subject": content.subject, "text": content.text, "html": content.html}

    def _handler(
        self, verb: Callable[[Connection, Mapping[str, object]], object], operation: Operation
    ) -> Callable[[Mapping[str, object]], object]:
        """Return an HTTP handler that runs `verb` in a transaction; 503 if the store does not answer."""

        def handle(params: Mapping[str, object]) -> object:
            try:
                with self.store.begin() as tx:
                    response = verb(tx, params)
            except exc.SQLAlchemyError as failure:  # also if the pool has no free connection
                raise RequestRefused(503, "store_away", "the notifier's store does not answer; try again") from failure
            self.on_change()
            return response

        return described(operation, handle)


def _id(params: Mapping[str, object]) -> str:
    try:
        return str(UUID(str(params.get("id", ""))))
    except ValueError as error:
        raise RequestRefused(400, "malformed", "id must be a mail's id, a UUID") from error


def _decision(params: Mapping[str, object]) -> str:
    value = params.get("decision")
    if not (isinstance(value, str) and 0 < len(value.strip()) <= LONGEST and value.isprintable()):
        raise RequestRefused(400, "malformed", f"decision must be a text of 1 to {LONGEST} printable characters")
    return value.strip()


def _limit(value: object) -> int:
    text = str(value)
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST and 1 <= int(text) <= MAX_LIMIT):
        raise RequestRefused(400, "malformed", f"limit must be between 1 and {MAX_LIMIT}")
    return int(text)
