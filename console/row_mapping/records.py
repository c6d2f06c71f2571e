"""Rows of domain events, orders, mails, refused requests, actions and balances. Pure."""

import msgspec

from runtime.json_value import JsonValue
from stream.events import (
    ConsoleAction,
    CreditAdded,
    DomainEvent,
    NotificationSent,
    OrderStatus,
    RejectedWebhook,
    ids,
    order_ids,
)
from stream.events.text.json_text import without_nul

Row = dict[str, JsonValue]


def domain_event(event: DomainEvent) -> Row:
    """Return the row of a domain event, with the whole event, not masked, as its `body`."""
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
    """Return the row of a refused request."""
    return {
        "refusal_id": ids.refusal_id(record),
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
    """Return the row of the customer's balance after a credit, in minor units. The credit must have a customer."""
    return {
        "customer_id": credit.customer_id,
        "currency": credit.currency,
        "balance": credit.balance,
        "at": at(credit),
    }


def account(credit: CreditAdded) -> tuple[str, str, int]:
    """Return customer, currency and balance: a sort key for credits, because the balance of an account only grows."""
    return credit.customer_id or "", credit.currency, credit.balance


def at(event: DomainEvent) -> int:
    """Return when the event happened according to its provider, else when its webhook was received (microseconds)."""
    return event.received_at if event.occurred_at is None else event.occurred_at


def change(credit: CreditAdded) -> str:
    """Return the notification about a credit as JSON: the row of the balance, and the added amount."""
    return msgspec.json.encode({**balance(credit), "amount": credit.amount}).decode()
