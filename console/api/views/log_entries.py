"""Converts rows of the log to the API's JSON: times in ISO 8601, sensitive values masked. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from console.api import query_params
from console.api.views import timeline
from console.domain import UNKNOWN
from console.labels import provider_word
from console.queries.customers import Customer
from console.queries.lookup import RelatedRows, Row
from runtime import clock
from runtime.json_value import JsonValue
from stream.events.text.redaction import masked_id, masked_text, masked_value, redacted

_EVENT_ENVELOPE = frozenset({"event_id", "caused_by", "mode", "occurred_at", "received_at", "order_id"})
SIGNATURE_WORDS = ("signature", "hmac")
"""A stored header is a signature if its name contains one of these; other headers are not shown."""


def page(rows: Sequence[Row], limit: int) -> dict[str, JsonValue]:
    """Return the first `limit` rows as a page of the log; `next` is a cursor if there are more, else None."""
    shown = rows[:limit]
    more = len(rows) > limit
    after = query_params.cursor((shown[-1]["received_at"], shown[-1]["webhook_id"])) if more else None
    return {"webhooks": [webhook(row) for row in shown], "next": after}


def webhook(row: Row) -> dict[str, JsonValue]:
    """Return a webhook as an entry of contract E's log, without its payload."""
    return {
        "webhookId": row["webhook_id"],
        "providerEventId": row["provider_event_id"],
        "verificationRequestId": row["verification_request_id"],
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
        "createdAt": row["created_at"] and clock.utc_text(row["created_at"]),
    }


def webhook_detail(row: Row, related: RelatedRows) -> dict[str, JsonValue]:
    """Return one webhook with its masked payload, position in Kafka, related rows and timeline.

    `related` must have the webhook itself first, as `lookup.webhook` returns it.
    """
    own = {
        "path": row["path"],
        "signature": signature(row["headers"] or {}),
        "payload": redacted(row["payload"]) if row["payload"] is not None else None,
        "record": _position(row if row["topic"] else None),
    }
    others = [webhook(other) for other in related.webhooks[1:]]
    return {**webhook(row), **own, "related": others, **_related_fields(related), "timeline": _timeline(related)}


def order(order_id: str, related: RelatedRows) -> dict[str, JsonValue]:
    """Return an order with its webhooks, related rows and timeline."""
    webhooks = [
        {**webhook(row), "record": _position(related.positions.get(row["webhook_id"]))} for row in related.webhooks
    ]
    return {"orderId": order_id, "webhooks": webhooks, **_related_fields(related), "timeline": _timeline(related)}


def balance(customer_id: str, rows: Iterable[Row]) -> dict[str, JsonValue]:
    """Return a customer's balances, in minor units, with the time of each."""
    balances = [{"balance": row["balance"], "currency": row["currency"], "at": iso(row["at"])} for row in rows]
    return {"customerId": customer_id, "balances": balances}


def customer_orders(customer: str, found: Customer) -> dict[str, JsonValue]:
    """Return a customer's orders; `complete` is False if the log may have more."""
    orders = [
        {
            "orderId": row["order_id"],
            "firstAt": iso(row["first_at"]),
            "lastAt": iso(row["last_at"]),
            "webhooks": row["webhooks"],
        }
        for row in found.orders
    ]
    return {"customer": customer, "customerIds": found.ids, "orders": orders, "complete": found.is_complete}


def change(balance_change: Mapping[str, JsonValue], amount: int) -> dict[str, JsonValue]:
    """Return one message of the live balance; `amount` is the added amount in minor units, 0 for a current balance."""
    return {
        "customerId": balance_change["customer_id"],
        "balance": balance_change["balance"],
        "currency": balance_change["currency"],
        "amount": amount,
        "at": iso(balance_change["at"]),
    }


def refusals_page(rows: Sequence[Row], limit: int) -> dict[str, JsonValue]:
    """Return the first `limit` rows as a page of refused requests; `next` is a cursor if there are more, else None."""
    shown = rows[:limit]
    last = (shown[-1]["received_at"], shown[-1]["refusal_id"]) if len(rows) > limit else None
    return {"refusals": [refusal(row) for row in shown], "next": last and query_params.cursor(last)}


def refusal(row: Row) -> dict[str, JsonValue]:
    """Return one refused request, masked. Its sender is not verified: `orderIds` are only what the body says."""
    return {
        "refusalId": row["refusal_id"],
        "orderIds": [masked_id(order_id) for order_id in row["order_ids"]],
        "provider": provider_word(row["provider"]),
        "path": masked_text(row["path"]),
        "cause": row["cause"],
        "headers": masked_value(row["headers"]),
        "digest": row["digest"],
        "excerpt": redacted(row["excerpt"]),
        "source": row["source"],
        "retiredSecret": row["retired_secret"],
        "receivedAt": iso(row["received_at"]),
    }


def signature(headers: Mapping[str, str]) -> str | None:
    """Return the value of the first stored header, by name, that is a signature; None without one."""
    return next(
        (value for name, value in sorted(headers.items()) if any(word in name for word in SIGNATURE_WORDS)), None
    )


def iso(at: int | None) -> str | None:
    """Convert microseconds since 1970 UTC to ISO 8601 in UTC; None for None and for times outside the calendar."""
    return clock.micros_text(at)


def _related_fields(related: RelatedRows) -> dict[str, JsonValue]:
    return {
        "outcomes": [_outcome(row) for row in related.outcomes],
        "domain_events": [
            {**_event(row), "record": _position(related.positions.get(row["event_id"]))} for row in related.events
        ],
        "mails": [
            {**_mail(row), "record": _position(related.positions.get(row["notification_id"]))} for row in related.mails
        ],
    }


def _position(row: Row | None) -> dict[str, JsonValue] | None:
    """Return the position of a record in Kafka; None if the console has not read it."""
    return None if row is None else {name: row[name] for name in ("topic", "partition", "offset")}


def _timeline(related: RelatedRows) -> list[dict[str, JsonValue]]:
    return [{**entry, "at": iso(entry["at"])} for entry in timeline.entries(related)]


def _outcome(row: Row) -> dict[str, JsonValue]:
    return {
        "eventId": row["event_id"],
        "service": row["service"],
        "topic": row["topic"],
        "outcome": row["outcome"],
        "attempt": row["attempt"],
        "error": row["error"] and masked_text(row["error"]),
        "at": iso(row["at"]),
    }


def _event(row: Row) -> dict[str, JsonValue]:
    body = {name: value for name, value in row["body"].items() if name not in _EVENT_ENVELOPE}
    return {
        "eventId": row["event_id"],
        "type": row["type"],
        "orderId": row["order_id"],
        "causedBy": row["caused_by"],
        "occurredAt": iso(row["occurred_at"]),
        "receivedAt": iso(row["received_at"]),
        "body": masked_value(body),
    }


def _mail(row: Row) -> dict[str, JsonValue]:
    return {
        "notificationId": row["notification_id"],
        "eventId": row["event_id"],
        "eventType": row["event_type"],
        "audience": row["audience"],
        "channel": row["channel"],
        "orderId": row["order_id"],
        "customerId": row["customer_id"],
        "locale": row["locale"],
        "messageId": row["message_id"],
        "sentAt": iso(row["sent_at"]),
    }
