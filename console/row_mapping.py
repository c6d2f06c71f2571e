"""Map records to rows of the log, by the names of the columns. Pure.

A list of texts is one text, its elements separated by newlines (`stream.store.statements`).
"""

import msgspec

from console.domain import UNKNOWN, WebhookState, type_of
from runtime.json_value import JsonValue
from stream.events import (
    ConsoleAction,
    CreditAdded,
    DomainEvent,
    NotificationSent,
    OrderStatus,
    Outcome,
    QuarantinedWebhook,
    RejectedWebhook,
    Webhook,
    ids,
    order_ids,
    provider_ids,
)
from stream.events.json_text import without_nul

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
    """Return the row of a quarantined or unverified webhook."""
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
    """Return the row of a webhook whose outcomes were read before its own record."""
    return {**NOTHING_KNOWN, "webhook_id": webhook_id}


def state(webhook_id: str, state: WebhookState) -> Row:
    """Return the columns of a webhook's state."""
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


def domain_event(event: DomainEvent) -> Row:
    """Return the row of a domain event."""
    return {
        "event_id": event.event_id,
        "type": type(event).__name__,
        "order_id": event.order_id,
        "customer_id": event.customer_id,
        "caused_by": event.caused_by,
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
        "body": msgspec.json.encode(event).decode(),
    }


def order_state(status: OrderStatus) -> Row:
    """Return the row of an order's state."""
    return {
        "order_id": status.order_id,
        "version": status.version,
        "state": msgspec.json.encode(status).decode(),
    }


def mail(record: NotificationSent) -> Row:
    """Return the row of a sent mail."""
    return {
        "notification_id": record.notification_id,
        "event_id": record.event_id,
        "event_type": record.event_type,
        "audience": record.audience,
        "channel": record.channel,
        "order_id": record.order_id,
        "customer_id": record.customer_id,
        "locale": record.locale,
        "message_id": record.message_id,
        "sent_at": record.sent_at,
    }


def refusal(record: RejectedWebhook) -> Row:
    """Return the row of a rejected request."""
    return {
        "refusal_id": ids.rejection_id(record),
        "provider": record.provider,
        "path": without_nul(record.path),
        "cause": record.cause,
        "headers": msgspec.json.encode(record.headers).decode(),
        "digest": record.digest,
        "excerpt": record.excerpt,
        "received_at": record.received_at,
        "order_ids": "\n".join(order_ids.find(record.provider, record.excerpt)),
        "source": record.source,
        "retired_secret": record.retired_secret,
    }


def action(record: ConsoleAction) -> Row:
    """Return the row of a person's action."""
    return {
        "action_id": record.action_id,
        "result": record.result,
        "at": record.at,
        "user_name": without_nul(record.user),
        "role": record.role,
        "action": record.action,
        "target": without_nul(record.target),
        "parameters": msgspec.json.encode(
            {name: without_nul(value) for name, value in record.parameters.items()}
        ).decode(),
        "detail": record.detail and without_nul(record.detail),
    }


def balance(credit: CreditAdded) -> Row:
    """Return the row of a customer's balance."""
    return {
        "customer_id": credit.customer_id,
        "currency": credit.currency,
        "balance": credit.balance,
        "at": at(credit),
    }


def account(credit: CreditAdded) -> tuple[str, str, int]:
    """Return customer, currency and balance: a sort key, because a ledger's balance only grows."""
    return credit.customer_id or "", credit.currency, credit.balance


def at(event: DomainEvent) -> int:
    """Return when the event happened according to its provider, else when its webhook was received (microseconds)."""
    return event.received_at if event.occurred_at is None else event.occurred_at


def change(credit: CreditAdded) -> str:
    """Return the notification about a changed balance, as JSON."""
    change = {
        "customer_id": credit.customer_id,
        "balance": credit.balance,
        "currency": credit.currency,
        "amount": credit.amount,
        "at": at(credit),
    }
    return msgspec.json.encode(change).decode()


def _aliases(provider: str, payload: object) -> list[str]:
    """Return the provider's aliases, prefixed with its name; they find webhooks without an order."""
    given = (getattr(payload, "alias", None), *getattr(payload, "aliases", ()))
    return sorted({f"{provider}:{name}" for name in given if name})
