"""Write the rows that a shop shows to customers and sellers on its own pages: one per event and reader.

A row is written in the same transaction as its mail, or later, in the first one that knows the reader's user id.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection

from notifier.mail import composer
from notifier.queue import mail_queue
from notifier.queue.mail_queue import QueuedMail
from notifier.queue.new_mails import Touched
from notifier.tables import in_app
from runtime.logging import log
from stream.events import OrderId, ids
from stream.store import statements

CHANNEL = "in_app"

FIND_UNWRITTEN = f"""
SELECT {mail_queue.COLUMNS} FROM addressed
 WHERE audience IN ('customer', 'seller') AND user_id IS NOT NULL AND event::text <> '{{}}'
   AND (notification_id = ANY (%(ids)b::text[]::uuid[]) OR order_id = ANY (%(orders)b::text[]))
   AND NOT EXISTS (SELECT FROM in_app
                    WHERE in_app.event_id = addressed.event_id AND in_app.audience = addressed.audience)
"""  # noqa: S608 - our own columns

INSERT = statements.insert_new(in_app)


@dataclass(frozen=True, slots=True)
class EventSubject:
    """The fields of an event that a row needs: its time in microseconds, and the order or invoice that it is about."""

    received_at: int
    order_id: OrderId | None = None
    invoice_id: str | None = None

    @property
    def link(self) -> str | None:
        """The path of the event's page, for an order without a link; None for an event about neither."""
        if self.order_id:
            return f"/orders/{quote(self.order_id, safe='')}"
        return f"/invoices/{quote(self.invoice_id, safe='')}" if self.invoice_id else None


def write(tx: Connection, touched: Touched) -> None:
    """Insert the missing rows for the mails and orders in `touched`, if their reader's user id is known.

    A row that cannot be rendered is logged as `in_app.failed` and left out.
    """
    if not touched:
        return
    values = {"ids": touched.ids, "orders": touched.orders, "operator_locale": ""}
    found: Any = tx.exec_driver_sql(FIND_UNWRITTEN, values)
    INSERT.execute(tx, [row for mail in found if (row := _row(QueuedMail(*mail)))])


def _row(mail: QueuedMail) -> dict[str, object] | None:
    """Return a row of `in_app`; None, with an error logged, if rendering fails."""
    subject = msgspec.json.decode(mail.event, type=EventSubject)
    try:
        content = composer.render(mail)
    except Exception as failure:  # noqa: BLE001 - one message that cannot be rendered must not block the others
        log.error("in_app.failed", id=mail.notification_id, error=f"{type(failure).__name__}: {failure}")
        return None
    return {
        "id": ids.notification_id(mail.event_id, mail.audience, CHANNEL),
        "user_id": mail.user_id,
        "title": content.title,
        "message": content.message,
        "type": mail.event_type,
        "link": mail.link or subject.link,
        "created_at": subject.received_at,
        "event_id": mail.event_id,
        "audience": mail.audience,
    }
