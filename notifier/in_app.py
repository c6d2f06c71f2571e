"""The rows a shop's own pages show to customers and sellers: one a fact and reader, written with the fact.

It is written once the reader's id is known; until then the row of the mail stands for it.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection

from notifier import mail_queue
from notifier.mail import composer
from notifier.mail_queue import Letter
from notifier.store import Touched
from runtime.logging import log
from stream.events import ids
from stream.store.bulk_sql import write as write_rows

CHANNEL = "in_app"

UNWRITTEN = f"""
SELECT {mail_queue.COLUMNS} FROM addressed
 WHERE audience IN ('customer', 'seller') AND user_id IS NOT NULL AND fact::text <> '{{}}'
   AND (notification_id = ANY (%(ids)b::text[]::uuid[]) OR order_id = ANY (%(orders)b::text[]))
   AND NOT EXISTS (SELECT FROM in_app
                    WHERE in_app.fact_id = addressed.fact_id AND in_app.audience = addressed.audience)
"""  # noqa: S608 - our own columns

INSERT = """
INSERT INTO in_app (id, user_id, title, message, type, link, fact_id, audience, created_at)
SELECT id, user_id, title, message, type, link, fact_id, audience, to_timestamp(micros / 1e6)
  FROM unnest(%(ids)b::text[]::uuid[], %(users)b::text[], %(titles)b::text[], %(messages)b::text[], %(types)b::text[],
              %(links)b::text[], %(facts)b::text[]::uuid[], %(audiences)b::text[], %(times)b::bigint[])
       AS told (id, user_id, title, message, type, link, fact_id, audience, micros)
ON CONFLICT DO NOTHING
"""
COLUMNS = "ids users titles messages types links facts audiences times"


@dataclass(frozen=True, slots=True)
class About:
    """What a fact is about, where no order gives a link."""

    received_at: int
    order_id: str | None = None
    invoice_id: str | None = None

    @property
    def link(self) -> str | None:
        if self.order_id:
            return f"/orders/{quote(self.order_id, safe='')}"
        return f"/invoices/{quote(self.invoice_id, safe='')}" if self.invoice_id else None


def write(tx: Connection, touched: Touched) -> None:
    """Write the rows whose readers are known by now, of the messages this transaction touches."""
    if not touched:
        return
    asked = {"ids": touched.ids, "orders": touched.orders, "operator_locale": ""}
    found: Any = tx.exec_driver_sql(UNWRITTEN, asked)
    rows = [row for letter in found if (row := _row(Letter(*letter)))]
    write_rows(tx, INSERT, COLUMNS, rows)


def _row(letter: Letter) -> tuple[Any, ...] | None:
    about = msgspec.json.decode(letter.fact, type=About)
    try:
        said = composer.words(letter)
    except Exception as broken:  # noqa: BLE001 - a message that cannot be written must not hold up the others
        log.error("in_app.failed", id=letter.notification_id, error=f"{type(broken).__name__}: {broken}")
        return None
    return (
        ids.notification_id(letter.fact_id, letter.audience, CHANNEL),
        letter.user_id,
        said.title,
        said.message,
        letter.fact_type,
        letter.link or about.link,
        letter.fact_id,
        letter.audience,
        about.received_at,
    )
