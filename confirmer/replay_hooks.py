"""What a replay of the confirmer does otherwise: of a question that was answered, the topics hold the answer."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from confirmer import handler, store
from confirmer.verdict import ENDINGS
from stream.events import OrderWebhook, Outcome, Record, UnconfirmedWebhook, Webhook, topics
from stream.state.fold import Result

SERVICE = "confirmer"
TOLD_BY = (
    topics.PAYMENT_WEBHOOKS,
    topics.SHIPPING_WEBHOOKS,
    topics.REFUND_WEBHOOKS,
    topics.INVOICE_WEBHOOKS,
    topics.CUSTOMERS,
    topics.OUTCOMES,
)

# Not with the answer itself: a receipt and its answer may come in one batch, whose inbox rows are written after both.
SETTLE = """
UPDATE inbox SET outcome = CASE status WHEN 'confirmed' THEN 'processed' ELSE 'abandoned' END
  FROM questions WHERE receipt_id = inbox.event_id AND status <> 'asking'
"""
STATE = "status, attempts, unread, next_attempt_at, asked_at, error, event_id"
TAKE_OVER = f"""
UPDATE questions SET ({STATE}) = (SELECT {STATE} FROM {{live}}.questions AS was
                                   WHERE was.receipt_id = questions.receipt_id)
 WHERE EXISTS (SELECT FROM {{live}}.questions AS was WHERE was.receipt_id = questions.receipt_id)
"""  # noqa: S608 - our own columns

# A topic keeps questions for a month; what waits longer, or was confirmed before, stands in the live store alone.
OLDER = """
INSERT INTO inbox
SELECT was.* FROM {live}.inbox AS was JOIN {live}.questions AS asked ON asked.receipt_id = was.event_id
 WHERE NOT EXISTS (SELECT FROM questions AS own WHERE own.receipt_id = was.event_id)
ON CONFLICT DO NOTHING;
INSERT INTO questions SELECT * FROM {live}.questions ON CONFLICT DO NOTHING
"""

ASIDE = frozenset("attempts unread next_attempt_at asked_at error known turn".split())
"""Columns about the order and progress of requests; a comparison leaves them out and compares the results."""
UNTOLD = {
    "turns": "true",
    "questions": f"received_at < now() - {topics.UNCONFIRMED.retention_ms} * interval '1 millisecond'",
}


def heeds(record: Record) -> bool:
    """Whether a record is a question, or tells what became of one; one that could not be kept was never asked."""
    if isinstance(record, Outcome):
        return record.service == SERVICE and (record.error or "").startswith(ENDINGS)
    return isinstance(record, UnconfirmedWebhook | OrderWebhook) or (
        isinstance(record, Webhook) and record.envelope.receipt_id is not None
    )


def handle(tx: Connection, events: Sequence[Record], *, encode: Callable[[Record], bytes]) -> list[Result]:
    """Keep questions as ever, and note what they were answered."""
    read = [event for event in events if isinstance(event, handler.Read)]
    kept = iter(handler.handle(tx, read, encode=encode, arrived=lambda _: None))
    confirmed = [e.envelope for e in events if isinstance(e, Webhook) and not isinstance(e, handler.Read)]
    store.remember_confirmed(tx, [(one.receipt_id or "", one.event_id) for one in confirmed])
    outcomes = [event for event in events if isinstance(event, Outcome)]
    store.remember_ended(tx, [(one.event_id, one.error or "") for one in outcomes])
    return [next(kept) if isinstance(event, handler.Read) else Result("", "processed", ()) for event in events]


def settle(tx: Connection) -> None:
    """Let the inbox say what became of each receipt."""
    tx.exec_driver_sql(SETTLE)


def adopt(tx: Connection, live: str) -> None:
    """Take over from the live store how the asking went, and what its topic has forgotten."""
    tx.exec_driver_sql(TAKE_OVER.format(live=live))
    for statement in OLDER.format(live=live).split(";"):
        tx.exec_driver_sql(statement)
