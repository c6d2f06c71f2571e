"""Alerts for the operator: dead events, unknown mails, unreadable webhooks, console alerts.

To raise an alert is to store it; `queue_alert_mail` groups the stored ones into mails.
"""

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from notifier.queue.new_mails import CHANNEL
from notifier.tables import operator_alerts
from runtime import clock
from runtime.json_value import JsonValue
from stream.events import DeadRecord, QuarantinedWebhook, Verification, ids
from stream.events.text.redaction import masked_text
from stream.store import statements
from stream.store.statements import BulkStatement

KINDS = ("dead", "unknown", "quarantined", "alerts")
UNREADABLE_CAUSES = ("malformed_body", "invalid_field")
"""Causes of webhooks that cannot be read. Webhooks with other causes are readable but not acted on."""
PROVEN: tuple[Verification, ...] = ("signature", "shared_secret", "confirmed")
ERROR_LENGTH = 500
LISTED = 50

INSERT = statements.insert_new(operator_alerts, without=["raised_at", "mailed_at"])
# The alert is as old as the webhook: alerts for webhooks received longer than MAIL_MAX_AGE ago are not sent.
INSERT_QUARANTINED = statements.insert_new(operator_alerts, without=["mailed_at"])

# Alert mails raise no alerts themselves: with a broken mail server they would never end.
INSERT_UNKNOWN = """
INSERT INTO operator_alerts (kind, subject, details)
SELECT 'unknown', notification_id || ' ' || attempts,
       json_build_object('id', notification_id, 'event_type', event_type, 'audience', audience, 'order_id', order_id)
  FROM notifications
 WHERE notification_id = ANY (%(ids)b::text[]::uuid[]) AND status = 'unknown' AND event_type <> 'OperatorAlerts'
ON CONFLICT DO NOTHING
"""

UNSENT = """
SELECT kind, subject, details FROM operator_alerts
 WHERE mailed_at IS NULL AND raised_at > now() - %(max_age)s * interval '1 second'
   AND NOT EXISTS (SELECT FROM operator_alerts AS last
                    WHERE last.mailed_at > now() - %(interval)s * interval '1 second')
 ORDER BY raised_at FOR UPDATE SKIP LOCKED
"""
THESE = """
  FROM unnest(%(kind)b::text[], %(subject)b::text[]) AS saved (kind, subject)
 WHERE operator_alerts.kind = saved.kind AND operator_alerts.subject = saved.subject
"""
KEY = ("kind", "subject")
MARK_SENT = BulkStatement(f"UPDATE operator_alerts SET mailed_at = now() {THESE}", KEY)  # noqa: S608 - a constant
# Epoch, and not now(), because the next alert mail follows an interval after the last one.
SUPPRESS = BulkStatement(f"UPDATE operator_alerts SET mailed_at = 'epoch' {THESE} AND mailed_at IS NULL", KEY)  # noqa: S608
QUEUE = """
INSERT INTO notifications (notification_id, event_id, event_type, audience, channel, contact, event, status)
VALUES (%(id)s::uuid, %(event)s::uuid, 'OperatorAlerts', 'operator', %(channel)s, %(operator)s, %(details)s::json,
        'queued')
"""


def raise_dead(tx: Connection, records: Sequence[DeadRecord]) -> None:
    """Raise an alert for each dead record: one per service and event, even if the event dies again after a redrive."""
    INSERT.execute(tx, [_row(record) for record in records])


def suppress(tx: Connection, records: Sequence[DeadRecord], webhooks: Sequence[QuarantinedWebhook]) -> None:
    """Mark the unsent alerts of these records and webhooks as sent: mails before the restore had listed them."""
    SUPPRESS.execute(tx, [*map(_row, records), *map(_quarantined_row, webhooks)])


def suppress_all(tx: Connection) -> None:
    """Mark all unsent alerts of a restored store as sent: it is not known which were sent since the backup."""
    tx.exec_driver_sql("UPDATE operator_alerts SET mailed_at = 'epoch' WHERE mailed_at IS NULL")


def raise_quarantined(tx: Connection, webhooks: Sequence[QuarantinedWebhook]) -> None:
    """Raise an alert for each verified webhook that was quarantined because it cannot be read.

    This includes an amount with more decimals than its currency has. The same body posted again is the same alert.
    Unverified webhooks raise none, because anybody can send them.
    """
    unreadable = [
        webhook for webhook in webhooks if webhook.cause in UNREADABLE_CAUSES and webhook.verification in PROVEN
    ]
    INSERT_QUARANTINED.execute(tx, [_quarantined_row(webhook) for webhook in unreadable])


def raise_unknown(tx: Connection, notification_ids: Sequence[str]) -> None:
    """Raise an alert for each of these mails that is `unknown` and no alert mail itself: one per mail and attempt."""
    tx.exec_driver_sql(INSERT_UNKNOWN, {"ids": list(notification_ids)})


def raise_from_console(tx: Connection, alert_id: str, text: str) -> bool:
    """Raise an alert that the console found; return False if an alert with this id was raised before."""
    values = {
        "kind": ["alerts"],
        "subject": [alert_id],
        "details": [json.dumps({"text": text}, ensure_ascii=False)],
    }
    return tx.exec_driver_sql(INSERT.text, values).rowcount > 0


def queue_alert_mail(tx: Connection, operator: str, interval_s: float, max_age_s: float) -> bool:
    """Queue one mail for all alerts that are not sent yet, and return True; return False if no mail is due.

    No mail is due while there is no such alert, and until `interval_s` after the last alert mail. Alerts older than
    `max_age_s` are never sent, such as those raised before an operator was configured.
    """
    values = {"interval": interval_s, "max_age": max_age_s}
    rows: list[tuple[str, str, dict[str, JsonValue]]] = [tuple(row) for row in tx.exec_driver_sql(UNSENT, values)]
    if not rows:
        return False
    MARK_SENT.execute(tx, [{"kind": kind, "subject": subject} for kind, subject, _ in rows])
    event_id = ids.domain_event_id("OperatorAlerts", *(f"{kind} {subject}" for kind, subject, _ in rows))
    mail = {
        "id": ids.notification_id(event_id, "operator", CHANNEL),
        "event": event_id,
        "channel": CHANNEL,
        "operator": operator,
        "details": json.dumps(digest([(kind, details) for kind, _, details in rows], clock.now())),
    }
    tx.exec_driver_sql(QUEUE, mail)
    return True


def digest(alerts: Sequence[tuple[str, Mapping[str, JsonValue]]], at: int) -> dict[str, JsonValue]:
    """Return the event of an alert mail; `alerts` are pairs of kind and details, `at` is in microseconds.

    In the event, `counted` has the number of alerts of each kind; at most LISTED are listed, by kind, and `more` is the
    number of the others.
    """
    listed = alerts[:LISTED]
    return {
        "received_at": at,
        "counted": {kind: sum(kind == other for other, _ in alerts) for kind in KINDS},
        **{kind: [details for other, details in listed if other == kind] for kind in KINDS},
        "more": len(alerts) - len(listed),
    }


def _row(record: DeadRecord) -> dict[str, object]:
    details = {
        "service": record.service,
        "event_id": record.event_id,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "error": record.error[:ERROR_LENGTH].replace("\0", ""),
    }
    return {
        "kind": "dead",
        "subject": f"{record.service} {record.event_id}",
        "details": json.dumps(details, ensure_ascii=False),
    }


def _quarantined_row(webhook: QuarantinedWebhook) -> dict[str, object]:
    details = {
        "id": webhook.event_id,
        "provider": webhook.provider,
        "cause": webhook.cause,
        "detail": masked_text(webhook.detail[:ERROR_LENGTH].replace("\0", "")),
    }
    return {
        "kind": "quarantined",
        "subject": webhook.event_id,
        "details": json.dumps(details, ensure_ascii=False),
        "raised_at": webhook.received_at,
    }
