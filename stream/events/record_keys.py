"""The keys of records: events with one key share a partition, so they are processed in the order of their append."""

import re
import unicodedata

from stream.events import (
    BillingWebhook,
    ConsoleAction,
    CustomerWebhook,
    DeadRecord,
    DisputeWebhook,
    DomainEvent,
    InvoiceWebhook,
    NotificationSent,
    OrderWebhook,
    Outcome,
    PaymentWebhook,
    ProviderState,
    QuarantinedWebhook,
    RefundWebhook,
    RejectedWebhook,
    SecretSeen,
    ShippingWebhook,
    TransferWebhook,
    UnconfirmedWebhook,
)

ByOrder = PaymentWebhook | BillingWebhook | DisputeWebhook | RefundWebhook | OrderWebhook | ShippingWebhook

_SEPARATORS = re.compile(r"[\s\u00ad\u2010-\u2015\u2212-]+")
"""Spaces, hyphens and dashes."""


def parcel_number(number: str) -> str:
    """Return a tracking number as it appears in a parcel's key: without spaces and hyphens, in upper case.

    Carriers and people write the same number with and without groups. A number of spaces and hyphens only is returned
    unchanged.
    """
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", number)).upper() or number


def by_action(record: ConsoleAction) -> str:
    return record.action_id


def by_notification(record: NotificationSent) -> str:
    return record.notification_id


def by_event(record: DomainEvent | Outcome | DeadRecord | QuarantinedWebhook) -> str:
    return record.event_id


def by_order(webhook: ByOrder) -> str:
    """Return the order id; without one, `provider:alias`."""
    if isinstance(webhook, OrderWebhook):
        return webhook.payload.order_id
    return webhook.payload.order_id or f"{webhook.envelope.provider}:{webhook.payload.alias}"


def by_parcel(webhook: ShippingWebhook) -> str:
    """Return `carrier_code:number`, the number as `parcel_number` writes it, since an order may have several parcels.

    Without a code, the provider's name is in its place; without a number, it is the key of `by_order`.
    """
    payload = webhook.payload
    if payload.tracking_number:
        return f"{payload.carrier_code or webhook.envelope.provider}:{parcel_number(payload.tracking_number)}"
    return by_order(webhook)


def by_invoice(webhook: InvoiceWebhook | TransferWebhook) -> str:
    """Return the invoice id; for a transfer that names no invoice, `provider:alias`."""
    if isinstance(webhook, InvoiceWebhook):
        return webhook.payload.invoice_id
    return webhook.payload.invoice_id or f"{webhook.envelope.provider}:{webhook.payload.alias}"


def by_reference(webhook: UnconfirmedWebhook) -> str:
    return f"{webhook.envelope.provider}:{webhook.payload.alias}"


def by_provider(record: RejectedWebhook) -> str:
    return record.provider


def by_customer(webhook: CustomerWebhook) -> str:
    return webhook.payload.customer_id


def by_provider_state(record: ProviderState | SecretSeen) -> str:
    """Return the provider of a ProviderState, or the setting of a SecretSeen."""
    return record.provider if isinstance(record, ProviderState) else record.secret_setting
