"""What the API answers: rows of the log as JSON, times in ISO 8601, nothing in it that is nobody's business. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from console.api import query_params, timeline
from console.api.labels import provider_word
from console.api.queries import Row, Story
from console.domain import UNKNOWN
from runtime.clock import moment
from stream.events.redaction import masked_text, masked_value, redacted

_ENVELOPE_OF_A_FACT = frozenset({"event_id", "caused_by", "mode", "occurred_at", "received_at", "order_id"})
PROVES = ("signature", "hmac")
"""A kept header with one of these in its name is a signature; the others are nobody's business."""


def page(rows: Sequence[Row], limit: int) -> dict[str, Any]:
    """One page of the log; `next` leads to the next one, None when there is none."""
    shown = rows[:limit]
    more = len(rows) > limit
    after = query_params.cursor((shown[-1]["received_at"], shown[-1]["webhook_id"])) if more else None
    return {"webhooks": [webhook(row) for row in shown], "next": after}


def webhook(row: Row) -> dict[str, Any]:
    """One row of contract E's log, without its payload."""
    return {
        "webhookId": row["webhook_id"],
        "providerEventId": row["provider_event_id"],
        "receiptId": row["receipt_id"],
        "confirmedAs": row["confirmed_as"],
        "provider": provider_word(row["provider"]),
        "type": row["type"] or UNKNOWN,
        "eventType": row["event_type"],
        "orderId": row["order_id"],
        "customerId": row["customer_id"],
        "verification": row["verification"],
        "status": row["status"],
        "retryCount": row["retry_count"],
        "lastRetryAt": iso(row["last_retry_at"]),
        "error": row["error"] and masked_text(row["error"]),
        "note": row["note"],
        "occurredAt": iso(row["occurred_at"]),
        "receivedAt": iso(row["received_at"]),
        "createdAt": _utc(row["created_at"]),
    }


def life(row: Row, story: Story) -> dict[str, Any]:
    """One webhook's life: received, proved, handled by whom, announced, mailed."""
    where = None
    if row["topic"]:
        where = {"topic": row["topic"], "partition": row["partition"], "offset": row["offset"]}
    own = {
        "path": row["path"],
        "signature": signature(row["headers"] or {}),
        "payload": redacted(row["payload"]) if row["payload"] is not None else None,
        "record": where,
    }
    related = [webhook(other) for other in story.webhooks[1:]]
    return {**webhook(row), **own, "related": related, **_told(story), "timeline": _timeline(story)}


def order(order_id: str, story: Story) -> dict[str, Any]:
    """One order's life across the services."""
    webhooks = [webhook(row) for row in story.webhooks]
    return {"orderId": order_id, "webhooks": webhooks, **_told(story), "timeline": _timeline(story)}


def balance(customer_id: str, rows: Iterable[Row]) -> dict[str, Any]:
    """What a customer has: minor units of each currency."""
    kept = [{"balance": row["balance"], "currency": row["currency"], "at": iso(row["at"])} for row in rows]
    return {"customerId": customer_id, "balances": kept}


def change(told: Mapping[str, Any], amount: int) -> dict[str, Any]:
    """One message of the live balance; `amount` is what was added just now."""
    return {
        "customerId": told["customer_id"],
        "balance": told["balance"],
        "currency": told["currency"],
        "amount": amount,
        "at": iso(told["at"]),
    }


def refusal(row: Row) -> dict[str, Any]:
    """One refused request: nothing proves who sent it."""
    return {
        "provider": provider_word(row["provider"]),
        "path": masked_text(row["path"]),
        "cause": row["cause"],
        "headers": masked_value(row["headers"]),
        "digest": row["digest"],
        "excerpt": redacted(row["excerpt"]),
        "receivedAt": iso(row["received_at"]),
    }


def signature(headers: Mapping[str, str]) -> str | None:
    """What proved the webhook, of the headers kept for proving it again."""
    return next((value for name, value in sorted(headers.items()) if any(word in name for word in PROVES)), None)


def iso(at: int | None) -> str | None:
    """A time (microseconds since 1970) in ISO 8601, UTC; out of the calendar: None."""
    try:
        return _utc(moment(at))
    except OverflowError:
        return None


def _utc(instant: datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _told(story: Story) -> dict[str, Any]:
    return {
        "outcomes": [_outcome(row) for row in story.outcomes],
        "facts": [_fact(row) for row in story.facts],
        "mails": [_mail(row) for row in story.mails],
    }


def _timeline(story: Story) -> list[dict[str, Any]]:
    return [{**event, "at": iso(event["at"])} for event in timeline.told(story)]


def _outcome(row: Row) -> dict[str, Any]:
    return {
        "eventId": row["event_id"],
        "service": row["service"],
        "topic": row["topic"],
        "outcome": row["outcome"],
        "attempt": row["attempt"],
        "error": row["error"] and masked_text(row["error"]),
        "at": iso(row["at"]),
    }


def _fact(row: Row) -> dict[str, Any]:
    body = {name: value for name, value in row["body"].items() if name not in _ENVELOPE_OF_A_FACT}
    return {
        "factId": row["fact_id"],
        "type": row["type"],
        "orderId": row["order_id"],
        "causedBy": row["caused_by"],
        "occurredAt": iso(row["occurred_at"]),
        "receivedAt": iso(row["received_at"]),
        "body": masked_value(body),
    }


def _mail(row: Row) -> dict[str, Any]:
    return {
        "notificationId": row["notification_id"],
        "factId": row["fact_id"],
        "factType": row["fact_type"],
        "audience": row["audience"],
        "channel": row["channel"],
        "orderId": row["order_id"],
        "customerId": row["customer_id"],
        "locale": row["locale"],
        "messageId": row["message_id"],
        "sentAt": iso(row["sent_at"]),
    }
