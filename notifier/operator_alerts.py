"""Operator alerts, each sent once and grouped into few mails: abandoned events, unknown mails, refused webhooks."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from notifier.store import CHANNEL
from runtime import clock
from stream.events import DeadRecord, QuarantinedWebhook, Verification, ids
from stream.events.redaction import masked_text
from stream.store.bulk_sql import write

KINDS = ("abandoned", "unknown", "quarantined")
REFUSED = ("malformed_body", "invalid_field")
"""The causes of webhooks that nobody can read; the other causes are of webhooks that nobody acts on."""
PROVED: tuple[Verification, ...] = ("signature", "shared_secret", "confirmed")
ERROR_LENGTH = 500
LISTED = 50

INSERT = """
INSERT INTO alarms (kind, subject, said)
SELECT kind, subject, said::json
  FROM unnest(%(kinds)b::text[], %(subjects)b::text[], %(said)b::text[]) AS raised (kind, subject, said)
ON CONFLICT DO NOTHING
"""

# As old as the webhook: nobody is told of what was received longer ago than MAIL_MAX_AGE.
INSERT_QUARANTINED = """
INSERT INTO alarms (kind, subject, said, raised_at)
SELECT 'quarantined', subject, said::json, to_timestamp(received / 1e6)
  FROM unnest(%(subjects)b::text[], %(said)b::text[], %(received)b::bigint[]) AS raised (subject, said, received)
ON CONFLICT DO NOTHING
"""

# A mail that tells alarms raises none itself, or a bad mail server would be told of without end.
UNKNOWN = """
INSERT INTO alarms (kind, subject, said)
SELECT 'unknown', notification_id || ' ' || attempts,
       json_build_object('id', notification_id, 'fact_type', fact_type, 'audience', audience, 'order_id', order_id)
  FROM notifications
 WHERE notification_id = ANY (%(ids)b::text[]::uuid[]) AND status = 'unknown' AND fact_type <> 'Alarms'
ON CONFLICT DO NOTHING
"""

UNTOLD = """
SELECT kind, subject, said FROM alarms
 WHERE told_at IS NULL AND raised_at > now() - %(max_age)s * interval '1 second'
   AND NOT EXISTS (SELECT FROM alarms AS told WHERE told.told_at > now() - %(interval)s * interval '1 second')
 ORDER BY raised_at FOR UPDATE SKIP LOCKED
"""
TOLD = """
UPDATE alarms SET told_at = now() FROM unnest(%(kinds)b::text[], %(subjects)b::text[]) AS told (kind, subject)
 WHERE alarms.kind = told.kind AND alarms.subject = told.subject
"""
# Long ago, for the next alarm mail comes an interval after the last one.
SILENCE = """
UPDATE alarms SET told_at = 'epoch' FROM unnest(%(kinds)b::text[], %(subjects)b::text[]) AS told (kind, subject)
 WHERE alarms.kind = told.kind AND alarms.subject = told.subject AND told_at IS NULL
"""
QUEUE = """
INSERT INTO notifications (notification_id, fact_id, fact_type, audience, channel, contact, fact, status)
VALUES (%(id)s::uuid, %(fact)s::uuid, 'Alarms', 'operator', %(channel)s, %(operator)s, %(said)s::json, 'queued')
"""


def abandoned(tx: Connection, records: Sequence[DeadRecord]) -> None:
    """Services gave up on these records; one that is abandoned again after a redrive is no news."""
    write(tx, INSERT, "kinds subjects said", [_row(record) for record in records])


def silence(tx: Connection, records: Sequence[DeadRecord], refused: Sequence[QuarantinedWebhook]) -> None:
    """The operator was told of these records before the store was restored."""
    named = [_row(record)[:2] for record in records]
    write(tx, SILENCE, "kinds subjects", [*named, *(("quarantined", one.event_id) for one in refused)])


def silence_all(tx: Connection) -> None:
    """Mark the alerts of a restored store as sent: which of them were sent since the backup is not known."""
    tx.exec_driver_sql("UPDATE alarms SET told_at = 'epoch' WHERE told_at IS NULL")


def quarantined(tx: Connection, webhooks: Sequence[QuarantinedWebhook]) -> None:
    """Raise an alarm for each genuine webhook that was refused because it cannot be read.

    An amount finer than its currency is one of these. The same body posted again is the same alarm. What nothing
    proves raises none, or anybody could raise as many as they like.
    """
    refused = [one for one in webhooks if one.cause in REFUSED and one.verification in PROVED]
    write(tx, INSERT_QUARANTINED, "subjects said received", [_quarantined_row(one) for one in refused])


def unknown(tx: Connection, notification_ids: Sequence[str]) -> None:
    """Nobody can tell what became of these mails."""
    tx.exec_driver_sql(UNKNOWN, {"ids": list(notification_ids)})


def tell(tx: Connection, operator: str, interval_s: float, max_age_s: float) -> bool:
    """Queue one mail for all alarms not yet told: the first at once, the next after `interval_s`. Whether there is one.

    Nobody is told of what was raised longer than `max_age_s` ago, such as before there was an operator.
    """
    asked = {"interval": interval_s, "max_age": max_age_s}
    rows: list[tuple[str, str, dict[str, Any]]] = [tuple(row) for row in tx.exec_driver_sql(UNTOLD, asked)]
    if not rows:
        return False
    write(tx, TOLD, "kinds subjects", [(kind, subject) for kind, subject, _ in rows])
    fact = ids.fact_id("Alarms", *(f"{kind} {subject}" for kind, subject, _ in rows))
    queued = {
        "id": ids.notification_id(fact, "operator", CHANNEL),
        "fact": fact,
        "channel": CHANNEL,
        "operator": operator,
        "said": json.dumps(digest([(kind, said) for kind, _, said in rows], clock.now())),
    }
    tx.exec_driver_sql(QUEUE, queued)
    return True


def digest(alarms: Sequence[tuple[str, Mapping[str, Any]]], at: int) -> dict[str, Any]:
    """What the mail says of alarms, each a kind and its details; it lists no more than a person would read."""
    listed = alarms[:LISTED]
    return {
        "received_at": at,
        "counted": {kind: sum(kind == one for one, _ in alarms) for kind in KINDS},
        **{kind: [said for one, said in listed if one == kind] for kind in KINDS},
        "more": len(alarms) - len(listed),
    }


def _row(record: DeadRecord) -> tuple[str, str, str]:
    said = {
        "service": record.service,
        "event_id": record.event_id,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "error": record.error[:ERROR_LENGTH].replace("\0", ""),
    }
    return "abandoned", f"{record.service} {record.event_id}", json.dumps(said, ensure_ascii=False)


def _quarantined_row(webhook: QuarantinedWebhook) -> tuple[str, str, int]:
    said = {
        "id": webhook.event_id,
        "provider": webhook.provider,
        "cause": webhook.cause,
        "detail": masked_text(webhook.detail[:ERROR_LENGTH].replace("\0", "")),
    }
    return webhook.event_id, json.dumps(said, ensure_ascii=False), webhook.received_at
