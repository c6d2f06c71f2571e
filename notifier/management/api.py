"""Management endpoints for mails: list, show, resolve, send now, send again; and for alerts of the console."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, exc

from notifier import operator_alerts
from notifier.mail import composer
from notifier.management import operations, parameters, sql
from notifier.queue import mail_queue, unsent_mails
from notifier.queue.mail_queue import QueuedMail
from notifier.sending import notification_events
from notifier.settings import NotifierSettings
from runtime.logging import log
from runtime.management.openapi import Operation, described
from runtime.management.routes import RequestRefused, Routes
from stream.avro.codec import Codec
from stream.dead_letters.filters import texts
from stream.events import ids
from stream.store import outbox

NEED_OPERATOR = ("failed", "unknown", "no_recipient", "stale")
REPEATABLE = ("sent", "stale")
"""The statuses of mails that can be sent again as another mail; for `failed` and `unknown` ones there is `resolve`."""


@dataclass(frozen=True, slots=True)
class ManagementApi:
    """Endpoints over the store of mails. Each runs in a transaction of its own and calls `on_change` after the commit.

    `on_change` makes the sender claim due mails at once.
    """

    settings: NotifierSettings
    store: Engine
    codec: Codec
    on_change: Callable[[], None]

    def routes(self) -> Routes:
        """Return the handlers by method and path."""
        return {
            ("GET", "/mails"): self._handler(self.list, operations.LISTED),
            ("GET", "/mail"): self._handler(self.show, operations.SHOWN),
            ("POST", "/mails/resolve"): self._handler(self.resolve, operations.RESOLVED_MAIL),
            ("POST", "/mails/send-now"): self._handler(self.send_now, operations.SENT_NOW),
            ("POST", "/mails/send-again"): self._handler(self.send_again, operations.SENT_AGAIN),
            ("POST", "/alerts"): self._handler(self.alert, operations.ALERT),
        }

    def list(self, tx: Connection, params: Mapping[str, object]) -> object:
        """Return the newest `mails`, the `counts` of mails by status, and the newest `unusable_contacts`.

        The `user_id` of a mail is the customer or seller that it goes to, null while none is known. `order`, an order
        id or a list of them (in a query, one), selects mails and contacts, but not the counts, which leave out `sent`.
        With `status`, the mails are those of that status, else unsent ones: of the given orders, else those that need
        the operator. Unusable contacts are listed only without a status, and even if no mail waits for them. There are
        at most `limit` of each. Raises RequestRefused (400) for an unknown status, a bad order or a bad limit.
        """
        status, orders = params.get("status"), texts(params, "order")
        if status is not None and status not in operations.STATUSES:
            raise RequestRefused(400, "unknown_status", f"a mail is {', '.join(operations.STATUSES)}")
        statuses = [status] if status else list(unsent_mails.UNSENT if orders else NEED_OPERATOR)
        values = {"statuses": statuses, "orders": list(orders), "most": parameters.limit(params.get("limit", "50"))}
        mails = list(tx.exec_driver_sql(sql.LIST, values).scalars())
        unusable = [] if status else list(tx.exec_driver_sql(sql.UNUSABLE, values).scalars())
        return {"mails": mails, "counts": unsent_mails.counts(tx), "unusable_contacts": unusable}

    def show(self, tx: Connection, params: Mapping[str, object]) -> object:
        """Return a mail with its address and `user_id`, and its subject, text and HTML as they would be sent now.

        If it cannot be rendered, `text` is the reason, and subject and HTML are missing.
        Raises RequestRefused: 400 if the id is not a UUID, 404 if there is no such mail.
        """
        notification_id = parameters.mail_id(params)
        row = tx.exec_driver_sql(sql.SHOW, {"id": notification_id}).scalar()
        mail = mail_queue.read(tx, notification_id, self.settings.operator_locale)
        if row is None or mail is None:
            raise RequestRefused(404, "unknown_mail", f"there is no mail {notification_id}")
        return {**row, "recipient": mail.recipient, "user_id": mail.user_id, **self._content(mail)}

    def resolve(self, tx: Connection, params: Mapping[str, object]) -> object:
        """Record a person's decision: an `unknown` mail was sent, or an `unknown` or `failed` mail is to be sent again.

        Repeating a decision changes nothing, and `changed` is then False. A mail to be sent again becomes `queued`, or
        `stale` after MAIL_MAX_AGE. For one that was sent, NotificationSent is put into the outbox. Raises
        RequestRefused: 400 for a bad id or decision, 404 if there is no such mail, 409 if its status does not allow the
        decision.
        """
        notification_id, decision = parameters.mail_id(params), params.get("as")
        if decision not in operations.RESOLVABLE:
            raise RequestRefused(400, "malformed", "`as` must be sent or send_again")
        row: Any = tx.exec_driver_sql(sql.LOCK, {"id": notification_id}).one_or_none()
        if row is None:
            raise RequestRefused(404, "unknown_mail", f"there is no mail {notification_id}")
        status, before, sent_at = row
        if status in operations.RESOLVABLE[decision]:
            status = self._settle(tx, notification_id, decision, int(sent_at))
            log.info("notification.resolved", id=notification_id, status=status)
            return {"id": notification_id, "status": status, "changed": True}
        if before != decision or status not in operations.RESOLVED[decision]:
            resolvable = " or ".join(operations.RESOLVABLE[decision])
            message = f"mail {notification_id} is {status}; {decision} applies only to a mail that is {resolvable}"
            raise RequestRefused(409, "not_resolvable", message)
        return {"id": notification_id, "status": status, "changed": False}

    def send_now(self, tx: Connection, params: Mapping[str, object]) -> object:
        """Make a queued mail due at once, without waiting for its next attempt.

        A mail that is being sent or was sent stays as it is, and `changed` is then False. Raises RequestRefused: 400
        for a bad id, 404 if there is no such mail, 409 if it has any other status.
        """
        notification_id = parameters.mail_id(params)
        status = self._status(tx, notification_id)
        if status not in ("queued", "sending", "sent"):
            raise RequestRefused(
                409, "not_queued", f"mail {notification_id} is {status}; only a queued mail can be sent now"
            )
        changed = tx.exec_driver_sql(sql.SEND_NOW, {"id": notification_id}).rowcount > 0
        return {"id": notification_id, "status": status, "changed": changed}

    def send_again(self, tx: Connection, params: Mapping[str, object]) -> object:
        """Send a `sent` or `stale` mail again as another one, to the address that is known now.

        `decision` identifies the operator's decision: repeating the request sends nothing more, and `changed` is then
        False. `id` and `status` are those of the new mail, `againOf` is the first one's id. Raises RequestRefused: 400
        for a bad id or decision, 404 if there is no such mail, 409 if it has another status, no event in the store, or
        no usable address.
        """
        notification_id, decision = parameters.mail_id(params), parameters.decision(params)
        status = self._status(tx, notification_id)
        if status not in REPEATABLE:
            message = f"mail {notification_id} is {status}; only a mail that is sent or stale can be sent again"
            raise RequestRefused(409, "not_repeatable", message)
        mail = mail_queue.read(tx, notification_id, self.settings.operator_locale)
        if mail is None or not tx.exec_driver_sql(sql.HAS_EVENT, {"id": notification_id}).scalar():
            raise RequestRefused(409, "no_event", f"the event of mail {notification_id} is not in the notifier's store")
        if mail.recipient is None:
            raise RequestRefused(409, "no_recipient", f"no usable address is known for mail {notification_id}")
        again_id = ids.notification_again_id(notification_id, decision)
        changed = tx.exec_driver_sql(sql.INSERT_AGAIN, {"id": notification_id, "again": again_id}).rowcount > 0
        if changed:
            log.info("notification.again", id=again_id, cause=f"of {notification_id}")
        return {"id": again_id, "status": self._status(tx, again_id), "changed": changed, "againOf": notification_id}

    @staticmethod
    def _status(tx: Connection, notification_id: str) -> str:
        """Lock a mail and return its status. Raises RequestRefused (404) if there is none."""
        row: Any = tx.exec_driver_sql(sql.LOCK, {"id": notification_id}).one_or_none()
        if row is None:
            raise RequestRefused(404, "unknown_mail", f"there is no mail {notification_id}")
        return str(row[0])

    def alert(self, tx: Connection, params: Mapping[str, object]) -> object:
        """Store an alert that the console found, which the next alert mail lists; return whether it is new (`raised`).

        Repeating the request does nothing. Raises RequestRefused (400) for a bad id or text.
        """
        text = params.get("text")
        if not (isinstance(text, str) and 0 < len(text) <= operations.LONGEST_ALERT):
            raise RequestRefused(400, "malformed", f"text must be a text of 1 to {operations.LONGEST_ALERT} characters")
        raised = operator_alerts.raise_from_console(tx, parameters.mail_id(params), text.replace("\0", "\ufffd"))
        return {"raised": raised}

    def _settle(self, tx: Connection, notification_id: str, decision: str, sent_at: int) -> str:
        values = {"id": notification_id, "max_age": self.settings.mail_max_age}
        if decision == "send_again":
            return str(tx.exec_driver_sql(sql.SEND_AGAIN, values).scalar_one())
        mail = mail_queue.read(tx, notification_id, self.settings.operator_locale)
        if mail:
            outbox.insert(tx, [notification_events.sent_message(mail, self.settings.branding, sent_at, self.codec)])
        return str(tx.exec_driver_sql(sql.RESOLVE_SENT, {"id": notification_id}).scalar_one())

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
        """Return an HTTP handler that runs `verb` in a transaction of its own, and calls `on_change` after the commit.

        The handler raises RequestRefused (503) if the store does not answer.
        """

        def handle(params: Mapping[str, object]) -> object:
            try:
                with self.store.begin() as tx:
                    response = verb(tx, params)
            except exc.SQLAlchemyError as failure:  # also if the pool has no free connection
                raise RequestRefused(503, "store_away", "the notifier's store does not answer; try again") from failure
            self.on_change()
            return response

        return described(operation, handle)
