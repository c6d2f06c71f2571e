"""Map records to rows of the log, with the columns in the order of `store`. Pure."""

import msgspec

from console.domain import UNKNOWN, type_of
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
Cells = tuple[JsonValue, ...]
UNKNOWN_CELLS: Cells = (None,) * 17
"""The other cells of a webhook whose outcomes were read before its own record."""


def webhook(record: Webhook) -> Cells:
    """Return the row of a webhook."""
    envelope, payload = record.envelope, getattr(record, "payload", None)
    return (
        envelope.event_id,
        type(record).__name__.removesuffix("Webhook").lower(),
        envelope.provider,
        envelope.provider_event_id,
        envelope.verification_request_id,
        type_of(record),
        envelope.event_type,
        getattr(payload, "order_id", None) or getattr(payload, "invoice_id", None),
        getattr(payload, "customer_id", None) or getattr(payload, "user_id", None),
        envelope.verification,
        envelope.path,
        msgspec.json.encode(envelope.headers).decode(),
        envelope.raw,
        None,
        envelope.occurred_at,
        envelope.received_at,
        "\n".join(_aliases(envelope.provider, payload)),
        "\n".join(provider_ids.of(record)),
    )


def quarantined(record: QuarantinedWebhook) -> Cells:
    """Return the row of a quarantined or unverified webhook."""
    return (
        record.event_id,
        UNVERIFIED if record.cause == UNVERIFIED_CAUSE else QUARANTINE,
        record.provider,
        None,
        None,
        UNKNOWN,
        record.cause,
        None,
        None,
        record.verification,
        without_nul(record.path),
        msgspec.json.encode(record.headers).decode(),
        record.raw,
        without_nul(f"{record.cause}: {record.detail}"),
        None,
        record.received_at,
        "",
        "\n".join(provider_ids.of(record)),
    )


def outcome(record: Outcome) -> Cells:
    """Return the row of an outcome."""
    position = (record.service, record.topic, record.partition, record.offset)
    return (
        record.event_id,
        *position,
        record.outcome,
        record.attempt,
        record.error and without_nul(record.error),
        record.at,
    )


def domain_event(event: DomainEvent) -> Cells:
    """Return the row of a domain event."""
    return (
        event.event_id,
        type(event).__name__,
        event.order_id,
        event.customer_id,
        event.caused_by,
        event.occurred_at,
        event.received_at,
        msgspec.json.encode(event).decode(),
    )


def order_state(status: OrderStatus) -> Cells:
    """Return the row of an order's state."""
    return (status.order_id, status.version, msgspec.json.encode(status).decode())


def mail(record: NotificationSent) -> Cells:
    """Return the row of a sent mail."""
    return (
        record.notification_id,
        record.event_id,
        record.event_type,
        record.audience,
        record.channel,
        record.order_id,
        record.customer_id,
        record.locale,
        record.message_id,
        record.sent_at,
    )


def refusal(record: RejectedWebhook) -> Cells:
    """Return the row of a rejected request."""
    return (
        ids.rejection_id(record),
        record.provider,
        without_nul(record.path),
        record.cause,
        msgspec.json.encode(record.headers).decode(),
        record.digest,
        record.excerpt,
        record.received_at,
        "\n".join(order_ids.find(record.provider, record.excerpt)),
        record.source,
        record.retired_secret,
    )


def action(record: ConsoleAction) -> Cells:
    """Return the row of a person's action."""
    return (
        record.action_id,
        record.result,
        record.at,
        without_nul(record.user),
        record.role,
        record.action,
        without_nul(record.target),
        msgspec.json.encode({name: without_nul(value) for name, value in record.parameters.items()}).decode(),
        record.detail and without_nul(record.detail),
    )


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
