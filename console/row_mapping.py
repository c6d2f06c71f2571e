"""A record as its row of the log: the columns in the order that `store` writes them in. Pure."""

from typing import Any

import msgspec

from console.domain import UNKNOWN, type_of
from stream.events import (
    CreditAdded,
    DomainEvent,
    NotificationSent,
    Outcome,
    QuarantinedWebhook,
    RejectedWebhook,
    Webhook,
    ids,
    provider_ids,
)

UNVERIFIED_CAUSE = "webhook_secret_not_configured"
UNVERIFIED, QUARANTINE = "unverified", "quarantine"
Cells = tuple[Any, ...]
UNDESCRIBED: Cells = (None,) * 17
"""The other cells of a webhook that services reported on before its own record was read."""


def webhook(record: Webhook) -> Cells:
    """What a webhook that was translated tells of itself."""
    envelope, notice = record.envelope, getattr(record, "notice", None)
    return (
        envelope.event_id,
        type(record).__name__.removesuffix("Webhook").lower(),
        envelope.provider,
        envelope.provider_event_id,
        envelope.receipt_id,
        type_of(record),
        envelope.event_type,
        getattr(notice, "order_id", None) or getattr(notice, "invoice_id", None),
        getattr(notice, "customer_id", None) or getattr(notice, "user_id", None),
        envelope.verification,
        envelope.path,
        msgspec.json.encode(envelope.headers).decode(),
        envelope.raw,
        None,
        envelope.occurred_at,
        envelope.received_at,
        "\n".join(_references(envelope.provider, notice)),
        "\n".join(provider_ids.of(record)),
    )


def aside(kept: QuarantinedWebhook) -> Cells:
    """What is known of one that was kept aside."""
    return (
        kept.event_id,
        UNVERIFIED if kept.cause == UNVERIFIED_CAUSE else QUARANTINE,
        kept.provider,
        None,
        None,
        UNKNOWN,
        kept.cause,
        None,
        None,
        kept.verification,
        _clean(kept.path),
        msgspec.json.encode(kept.headers).decode(),
        kept.raw,
        _clean(f"{kept.cause}: {kept.detail}"),
        None,
        kept.received_at,
        "",
        "\n".join(provider_ids.of(kept)),
    )


def outcome(told: Outcome) -> Cells:
    """What a service said of a webhook or a fact."""
    where = (told.service, told.topic, told.partition, told.offset)
    return (told.event_id, *where, told.outcome, told.attempt, _clean(told.error), told.at)


def fact(announced: DomainEvent) -> Cells:
    """What was announced."""
    return (
        announced.event_id,
        type(announced).__name__,
        announced.order_id,
        announced.customer_id,
        announced.caused_by,
        announced.occurred_at,
        announced.received_at,
        msgspec.json.encode(announced).decode(),
    )


def mail(sent: NotificationSent) -> Cells:
    """Who was told what."""
    return (
        sent.notification_id,
        sent.fact_id,
        sent.fact_type,
        sent.audience,
        sent.channel,
        sent.order_id,
        sent.customer_id,
        sent.locale,
        sent.message_id,
        sent.sent_at,
    )


def refusal(refused: RejectedWebhook) -> Cells:
    """Who was refused, and why."""
    return (
        ids.rejection_id(refused),
        refused.provider,
        _clean(refused.path),
        refused.cause,
        msgspec.json.encode(refused.headers).decode(),
        refused.digest,
        refused.excerpt,
        refused.received_at,
    )


def account(credit: CreditAdded) -> tuple[str, str, int]:
    """Whose balance in which currency, and what it is now: of two at once the larger is the later."""
    return credit.customer_id or "", credit.currency, credit.balance


def at(fact: DomainEvent) -> int:
    """When it happened, by its provider if that says so; microseconds."""
    return fact.received_at if fact.occurred_at is None else fact.occurred_at


def change(credit: CreditAdded) -> str:
    """The message to whoever listens for balances."""
    change = {
        "customer_id": credit.customer_id,
        "balance": credit.balance,
        "currency": credit.currency,
        "amount": credit.amount,
        "at": at(credit),
    }
    return msgspec.json.encode(change).decode()


def _references(provider: str, notice: object) -> list[str]:
    """The provider's own names for what the webhook is about: by them a webhook without an order is found."""
    given = (getattr(notice, "reference", None), *getattr(notice, "references", ()))
    return sorted({f"{provider}:{name}" for name in given if name})


def _clean(text: str | None) -> str | None:
    """Without the one character that Postgres keeps in no text."""
    return text and text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
