"""What the API answers: rows of the log as JSON, times in ISO 8601, nothing in it that is nobody's business. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from console import parameters
from console.domain import UNKNOWN
from console.labels import provider_word
from console.lookup import Row, Story
from providers.contract import Unreadable
from providers.money import exponent
from runtime.clock import moment
from stream.redaction import masked_text, masked_value, redacted

_ENVELOPE_OF_A_FACT = frozenset({"event_id", "caused_by", "mode", "occurred_at", "received_at", "order_id"})
PROVES = ("signature", "hmac")
"""A kept header with one of these in its name is a signature; the others are nobody's business."""


def page(rows: Sequence[Row], limit: int) -> dict[str, Any]:
    """One page of the log; `next` leads to the next one, None when there is none."""
    shown = rows[:limit]
    more = len(rows) > limit
    after = parameters.cursor((shown[-1]["received_at"], shown[-1]["webhook_id"])) if more else None
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
    return {**webhook(row), **own, "related": related, **_told(story), "timeline": timeline(story)}


def order(order_id: str, story: Story) -> dict[str, Any]:
    """One order's life across the services."""
    webhooks = [webhook(row) for row in story.webhooks]
    return {"orderId": order_id, "webhooks": webhooks, **_told(story), "timeline": timeline(story)}


def timeline(story: Story) -> list[dict[str, Any]]:
    """All that happened, in the order of the clocks that saw it."""
    depths = _depths(story)
    events = [*_received(story.webhooks), *_announced(story), *_handled(story), *_mailed(story.mails)]
    events.sort(key=lambda event: (event["at"], depths.get(event["id"], 0)))
    return [{**event, "at": iso(event["at"])} for event in events]


def _depths(story: Story) -> dict[str, int]:
    """How far down the chain of causes each fact and mail stands: of one instant, the cause is told first."""
    causes = {fact["fact_id"]: fact["caused_by"] for fact in story.facts}
    causes |= {mail["notification_id"]: mail["fact_id"] for mail in story.mails}
    depths: dict[str, int] = {}
    for name in causes:
        chain = [name]
        while chain[-1] in causes and causes[chain[-1]] not in chain:
            chain.append(causes[chain[-1]])
        depths[name] = len(chain) - 1
    return depths


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


def _received(rows: Iterable[Row]) -> Iterable[dict[str, Any]]:
    for row in rows:
        if row["received_at"] is not None:
            what = f"{row['event_type'] or UNKNOWN} from {provider_word(row['provider'])}"
            proof = f"proved by {row['verification']}" if row["verification"] else "unreadable"
            yield _event(row["received_at"], "received", f"{what}, {proof}: {row['status']}", row["webhook_id"])


def _handled(story: Story) -> Iterable[dict[str, Any]]:
    names = {fact["fact_id"]: fact["type"] for fact in story.facts}
    names |= {row["webhook_id"]: row["event_type"] or UNKNOWN for row in story.webhooks}
    for row in story.outcomes:
        attempt = f" (try {row['attempt']})" if row["attempt"] > 1 else ""
        error = f": {_first_line(masked_text(row['error']))}" if row["error"] else ""
        what = f"{names.get(row['event_id'], UNKNOWN)} {row['outcome']} by {row['service']}{attempt}{error}"
        yield _event(row["at"], "handled", what, row["event_id"])


def _first_line(error: str) -> str:
    """What a database adds below is the row it refused."""
    return error.partition("\n")[0]


def _announced(story: Story) -> Iterable[dict[str, Any]]:
    """A fact says when its webhook was received; it was announced when that was handled."""
    handled = {row["event_id"]: row["at"] for row in reversed(story.outcomes) if row["outcome"] == "processed"}
    for row in story.facts:
        body = row["body"]
        reason = f": {masked_text(str(body['reason']))}" if body.get("reason") else ""
        at = handled.get(row["caused_by"], row["received_at"])
        yield _event(at, "announced", f"{row['type']}{_money(body)}{reason}", row["fact_id"])


def _money(body: Mapping[str, Any]) -> str:
    amount, currency = body.get("amount"), body.get("currency")
    if amount is None:
        return ""
    try:
        return f" {Decimal(amount).scaleb(-exponent(currency or '')):,} {currency}"
    except Unreadable:  # crypto: a decimal text, and an asset's id
        return f" {amount}"


def _mailed(rows: Iterable[Row]) -> Iterable[dict[str, Any]]:
    for row in rows:
        what = f"{row['fact_type']} to the {row['audience']} by {row['channel']}"
        yield _event(row["sent_at"], "mailed", what, row["notification_id"])


def _event(at: Any, kind: str, what: str, event_id: str) -> dict[str, Any]:
    return {"at": at, "kind": kind, "what": what, "id": event_id}
