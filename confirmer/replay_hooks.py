"""A replay of the confirmer: reads the results of verifications from the topics and sends no request."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from confirmer import handler, store
from confirmer.verdict import ended_status
from stream.events import OrderWebhook, Outcome, Record, UnconfirmedWebhook, Webhook, topics
from stream.state.fold import Result

SERVICE = "confirmer"
RESULT_TOPICS = tuple(topic for topic in topics.service("confirmer").publishes if topic is not topics.REFUSALS)
"""The topics with confirmed webhooks and outcomes."""

# Run at the end, not with each result: a webhook and its result may be in one batch, whose inbox rows are written last.
SETTLE = """
UPDATE inbox SET outcome = CASE status WHEN 'confirmed' THEN 'processed' ELSE 'dead' END
  FROM verification_requests WHERE request_id = inbox.event_id AND status <> 'asking'
"""
STATE = "status, attempts, unread, next_attempt_at, asked_at, error, event_id"
TAKE_OVER = f"""
UPDATE verification_requests SET ({STATE}) = (SELECT {STATE} FROM {{live}}.verification_requests AS was
                                   WHERE was.request_id = verification_requests.request_id)
 WHERE EXISTS (SELECT FROM {{live}}.verification_requests AS was
                WHERE was.request_id = verification_requests.request_id)
"""  # noqa: S608 - our own columns

# The topic keeps webhooks for a month. Only the live store has verifications that are older.
OLDER = """
INSERT INTO inbox
SELECT was.* FROM {live}.inbox AS was JOIN {live}.verification_requests AS asked ON asked.request_id = was.event_id
 WHERE NOT EXISTS (SELECT FROM verification_requests AS own WHERE own.request_id = was.event_id)
ON CONFLICT DO NOTHING;
INSERT INTO verification_requests SELECT * FROM {live}.verification_requests ON CONFLICT DO NOTHING
"""

IGNORED_COLUMNS = frozenset("attempts unread next_attempt_at asked_at error known turn".split())
"""Columns about the order and progress of requests, which a comparison of rebuilt and live stores ignores."""
UNREPLAYED_ROWS = {
    "turns": "true",
    "verification_requests": f"received_at < now() - {topics.UNCONFIRMED.retention_ms} * interval '1 millisecond'",
}
"""Table → condition of the rows that no record on the topics makes, which the comparison ignores too."""


def is_relevant(record: Record) -> bool:
    """Return whether a record is an input of the confirmer or the result of a verification.

    The outcome of a webhook that could not be stored is no result: no request was sent.
    """
    if isinstance(record, Outcome):
        return record.service == SERVICE and ended_status(record.error) is not None
    return isinstance(record, UnconfirmedWebhook | OrderWebhook) or (
        isinstance(record, Webhook) and record.envelope.verification_request_id is not None
    )


def handle(tx: Connection, events: Sequence[Record], *, encode: Callable[[Record], bytes]) -> list[Result]:
    """Insert verifications as the live handler does, and set the results of those that `events` decide.

    Return one result per event, in order: for a confirmed webhook or an outcome `processed` with an empty key.
    """
    inputs = [event for event in events if isinstance(event, handler.ConfirmerInput)]
    results = iter(handler.handle(tx, inputs, encode=encode, on_insert=lambda _: None))
    confirmed = [
        event.envelope
        for event in events
        if isinstance(event, Webhook) and not isinstance(event, handler.ConfirmerInput)
    ]
    store.set_confirmed(tx, [(envelope.verification_request_id or "", envelope.event_id) for envelope in confirmed])
    outcomes = [event for event in events if isinstance(event, Outcome)]
    ended = [(outcome, status) for outcome in outcomes if (status := ended_status(outcome.error))]
    store.set_ended(tx, [(outcome.event_id, status, outcome.error or "") for outcome, status in ended])
    return [
        next(results) if isinstance(event, handler.ConfirmerInput) else Result("", "processed", ()) for event in events
    ]


def settle(tx: Connection) -> None:
    """Set the inbox outcome of each webhook whose verification has ended from its result."""
    tx.exec_driver_sql(SETTLE)


def carry_over(tx: Connection, live: str) -> None:
    """Copy from the schema `live` the state of each verification, and verifications that the topic no longer has."""
    tx.exec_driver_sql(TAKE_OVER.format(live=live))
    for statement in OLDER.format(live=live).split(";"):
        tx.exec_driver_sql(statement)
