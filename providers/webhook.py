"""Makes the record of a verified webhook: its id, its envelope, the topic and the key it is appended by."""

from collections.abc import Callable
from typing import NamedTuple

from providers.contract import Provider, Received, Translation
from stream import ids, topics
from stream.events import (
    BillingNotice,
    BillingWebhook,
    CustomerNotice,
    CustomerWebhook,
    Envelope,
    InvoiceNotice,
    InvoiceWebhook,
    Mode,
    Notice,
    OrderNotice,
    OrderWebhook,
    PaymentNotice,
    PaymentWebhook,
    Question,
    RefundNotice,
    RefundWebhook,
    ShippingNotice,
    ShippingWebhook,
    TransferNotice,
    TransferWebhook,
    UnconfirmedWebhook,
    Verification,
    Webhook,
)
from stream.topics import Topic


class Addressed(NamedTuple):
    """A record, the topic it belongs on, and its key there."""

    topic: Topic
    key: str
    webhook: Webhook


def webhook(
    provider: Provider, received: Received, verification: Verification, told: Translation, mode: Mode
) -> Addressed:
    """The record of a webhook `provider` sent; `mode` is that of the system, for a body that names none."""
    digest = ids.digest(told.notice)
    actual_mode = told.mode or mode
    if isinstance(told.notice, Question):
        event_id = ids.receipt_id(provider.name, received.body, received.received_at)
    else:
        event_id = _event_id(provider.name, actual_mode, told, digest)
    envelope = Envelope(
        event_id=event_id,
        digest=digest,
        provider=provider.name,
        mode=actual_mode,
        provider_event_id=told.provider_event_id,
        event_type=told.event_type,
        verification=verification,
        occurred_at=told.occurred_at,
        received_at=received.received_at,
        path=received.path,
        headers=provider.keep(received.headers),
        raw=received.body,
    )
    return _addressed(envelope, told.notice)


def confirmed(asked: UnconfirmedWebhook, told: Translation, answer: bytes) -> Addressed:
    """The event that a provider's `answer` tells: named by what it says, so an early forgery shadows nothing."""
    receipt, digest = asked.envelope, ids.digest(told.notice)
    mode = told.mode or receipt.mode
    envelope = Envelope(
        event_id=_event_id(receipt.provider, mode, told, digest),
        digest=digest,
        provider=receipt.provider,
        mode=mode,
        provider_event_id=told.provider_event_id,
        event_type=told.event_type,
        verification="confirmed",
        occurred_at=told.occurred_at,
        received_at=receipt.received_at,
        path=receipt.path,
        headers={},
        raw=answer,
        receipt_id=receipt.event_id,
    )
    return _addressed(envelope, told.notice)


def _event_id(provider: str, mode: Mode, told: Translation, digest: bytes) -> str:
    return ids.event_id(provider, mode, told.provider_event_id or f"{told.event_type}\n{digest.hex()}")


def _addressed(envelope: Envelope, notice: Notice) -> Addressed:
    topic, record = _ROUTES[type(notice)]
    webhook = record(envelope=envelope, notice=notice)
    return Addressed(topic, topic.key(webhook), webhook)


_ROUTES: dict[type[Notice], tuple[Topic, Callable[..., Webhook]]] = {
    PaymentNotice: (topics.PAYMENT_WEBHOOKS, PaymentWebhook),
    ShippingNotice: (topics.SHIPPING_WEBHOOKS, ShippingWebhook),
    RefundNotice: (topics.REFUND_WEBHOOKS, RefundWebhook),
    OrderNotice: (topics.ORDERS, OrderWebhook),
    CustomerNotice: (topics.CUSTOMERS, CustomerWebhook),
    BillingNotice: (topics.PAYMENT_WEBHOOKS, BillingWebhook),
    InvoiceNotice: (topics.INVOICE_WEBHOOKS, InvoiceWebhook),
    TransferNotice: (topics.INVOICE_WEBHOOKS, TransferWebhook),
    Question: (topics.UNCONFIRMED, UnconfirmedWebhook),
}
