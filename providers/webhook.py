"""Makes the record of a verified webhook: its id, its envelope, the topic and the key it is appended by."""

from collections.abc import Callable
from typing import NamedTuple

from providers.contract import Provider, Received, Translation
from stream import ids, topics
from stream.events import (
    CustomerNotice,
    CustomerWebhook,
    Envelope,
    Mode,
    Notice,
    OrderNotice,
    OrderWebhook,
    PaymentNotice,
    PaymentWebhook,
    RefundNotice,
    RefundWebhook,
    ShippingNotice,
    ShippingWebhook,
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
    topic, record = _ROUTES[type(told.notice)]
    digest = ids.digest(told.notice)
    actual_mode = told.mode or mode
    envelope = Envelope(
        event_id=ids.event_id(
            provider.name, actual_mode, told.provider_event_id or f"{told.event_type}\n{digest.hex()}"
        ),
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
    verified = record(envelope=envelope, notice=told.notice)
    return Addressed(topic, topic.key(verified), verified)


_ROUTES: dict[type[Notice], tuple[Topic, Callable[..., Webhook]]] = {
    PaymentNotice: (topics.PAYMENT_WEBHOOKS, PaymentWebhook),
    ShippingNotice: (topics.SHIPPING_WEBHOOKS, ShippingWebhook),
    RefundNotice: (topics.REFUND_WEBHOOKS, RefundWebhook),
    OrderNotice: (topics.ORDERS, OrderWebhook),
    CustomerNotice: (topics.CUSTOMERS, CustomerWebhook),
}
