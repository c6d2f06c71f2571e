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
from runtime.logging import log
from stream.events import ids
from stream.store.bulk_sql import write as write_rows

CHANNEL = "in_app"

FIND_UNWRITTEN = f"""
SELECT {mail_queue.COLUMNS} FROM addressed
 WHERE audience IN ('customer', 'seller') AND user_id IS NOT NULL AND event::text <> '{{}}'
   AND (notification_id = ANY (%(ids)b::text[]::uuid[]) OR order_id = ANY (%(orders)b::text[]))
   AND NOT EXISTS (SELECT FROM in_app
                    WHERE in_app.event_id = addressed.event_id AND in_app.audience = addressed.audience)
"""  # noqa: S608 - our own columns

INSERT = """
INSERT INTO in_app (id, user_id, title, message, type, link, event_id, audience, created_at)
SELECT id, user_id, title, message, type, link, event_id, audience, to_timestamp(micros / 1e6)
  FROM unnest(%(ids)b::text[]::uuid[], %(users)b::text[], %(titles)b::text[], %(messages)b::text[], %(types)b::text[],
              %(links)b::text[], %(events)b::text[]::uuid[], %(audiences)b::text[], %(times)b::bigint[])
       AS saved (id, user_id, title, message, type, link, event_id, audience, micros)
ON CONFLICT DO NOTHING
"""
COLUMNS = "ids users titles messages types links events audiences times"


@dataclass(frozen=True, slots=True)
class EventSubject:
    """The fields of an event that locate its page, used if the order has no link."""

    received_at: int
    order_id: str | None = None
    invoice_id: str | None = None

    @property
    def link(self) -> str | None:
        if self.order_id:
            return f"/orders/{quote(self.order_id, safe='')}"
        return f"/invoices/{quote(self.invoice_id, safe='')}" if self.invoice_id else None


def write(tx: Connection, touched: Touched) -> None:
    """Write the missing rows of these mails, orders and customers whose user id is known."""
    if not touched:
        return
    values = {"ids": touched.ids, "orders": touched.orders, "operator_locale": ""}
    found: Any = tx.exec_driver_sql(FIND_UNWRITTEN, values)
    rows = [row for mail in found if (row := _row(QueuedMail(*mail)))]
    write_rows(tx, INSERT, COLUMNS, rows)


def _row(mail: QueuedMail) -> tuple[Any, ...] | None:
    """Return the cells of a row, in the order of `COLUMNS`; None, with an error logged, if rendering fails."""
    subject = msgspec.json.decode(mail.event, type=EventSubject)
    try:
        content = composer.render(mail)
    except Exception as failure:  # noqa: BLE001 - one message that cannot be rendered must not block the others
        log.error("in_app.failed", id=mail.notification_id, error=f"{type(failure).__name__}: {failure}")
        return None
    return (
        ids.notification_id(mail.event_id, mail.audience, CHANNEL),
        mail.user_id,
        content.title,
        content.message,
        mail.event_type,
        mail.link or subject.link,
        mail.event_id,
        mail.audience,
        subject.received_at,
    )
