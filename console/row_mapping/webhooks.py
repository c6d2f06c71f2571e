"""Rows of webhooks, of their states and of outcomes. Pure."""

import msgspec

from console.domain import UNKNOWN, WebhookState, type_of
from runtime.json_value import JsonValue
from stream.events import (
    Outcome,
    QuarantinedWebhook,
    Webhook,
    provider_ids,
)
from stream.events.text.json_text import without_nul

UNVERIFIED_CAUSE = "webhook_secret_not_configured"
UNVERIFIED, QUARANTINE = "unverified", "quarantine"
Row = dict[str, JsonValue]
NOTHING_KNOWN: Row = {
    **dict.fromkeys("kind provider provider_event_id verification_request_id type event_type order_id".split()),
    **dict.fromkeys("customer_id verification path headers payload aside occurred_at received_at provider_ids".split()),
    "aliases": "",
}


def webhook(record: Webhook) -> Row:
    """Return the row of a webhook."""
    envelope, payload = record.envelope, getattr(record, "payload", None)
    return {
        "webhook_id": envelope.event_id,
        "kind": type(record).__name__.removesuffix("Webhook").lower(),
        "provider": envelope.provider,
        "provider_event_id": envelope.provider_event_id,
        "verification_request_id": envelope.verification_request_id,
        "type": type_of(record),
        "event_type": envelope.event_type,
        "order_id": getattr(payload, "order_id", None) or getattr(payload, "invoice_id", None),
        "customer_id": getattr(payload, "customer_id", None) or getattr(payload, "user_id", None),
        "verification": envelope.verification,
        "path": envelope.path,
        "headers": msgspec.json.encode(envelope.headers).decode(),
        "payload": envelope.raw,
        "aside": None,
        "occurred_at": envelope.occurred_at,
        "received_at": envelope.received_at,
        "aliases": "\n".join(_aliases(envelope.provider, payload)),
        "provider_ids": "\n".join(provider_ids.of(record)),
    }


def quarantined(record: QuarantinedWebhook) -> Row:
    """Return the row of a quarantined webhook; its kind is `unverified` for UNVERIFIED_CAUSE, else `quarantine`."""
    return {
        **unknown(record.event_id),
        "kind": UNVERIFIED if record.cause == UNVERIFIED_CAUSE else QUARANTINE,
        "provider": record.provider,
        "type": UNKNOWN,
        "event_type": record.cause,
        "verification": record.verification,
        "path": without_nul(record.path),
        "headers": msgspec.json.encode(record.headers).decode(),
        "payload": record.raw,
        "aside": without_nul(f"{record.cause}: {record.detail}"),
        "received_at": record.received_at,
        "provider_ids": "\n".join(provider_ids.of(record)),
    }


def unknown(webhook_id: str) -> Row:
    """Return the row of a webhook of which only outcomes were read so far: without a `kind`, and with its id alone."""
    return {**NOTHING_KNOWN, "webhook_id": webhook_id}


def state(webhook_id: str, state: WebhookState) -> Row:
    """Return the columns of a webhook's state, by which its row is updated."""
    return {
        "webhook_id": webhook_id,
        "status": state.status,
        "retry_count": state.retry_count,
        "last_retry_at": state.last_retry_at,
        "error": state.error,
        "note": state.note,
        "settled_at": state.settled_at,
        "dead_at": state.first_dead_at,
    }


def outcome(record: Outcome) -> Row:
    """Return the row of an outcome."""
    return {
        "event_id": record.event_id,
        "service": record.service,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "outcome": record.outcome,
        "attempt": record.attempt,
        "error": record.error and without_nul(record.error),
        "at": record.at,
    }


def _aliases(provider: str, payload: object) -> list[str]:
    """Return the payload's aliases, prefixed with the provider's name: by them webhooks without an order are found."""
    given = (getattr(payload, "alias", None), *getattr(payload, "aliases", ()))
    return sorted({f"{provider}:{name}" for name in given if name})
