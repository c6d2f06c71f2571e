"""The webhooks of providers and the shop: an envelope and a payload."""

from stream.events.payloads import (
    BillingPayload,
    CustomerPayload,
    DisputePayload,
    InvoicePayload,
    OrderPayload,
    PaymentPayload,
    RefundPayload,
    ShippingPayload,
    TransferPayload,
    VerificationRequest,
)
from stream.events.record import EventId, Micros, Mode, Record, Verification


class Envelope(Record, frozen=True, kw_only=True):
    """A webhook's request and how it was verified: all that is needed to verify and translate it again.

    `digest` is the SHA-256 of the payload (see `ids.digest`), `raw` the body as it was received, `headers` those that
    the signature needs. `verification_request_id` is set for a confirmed event: it is the id of the unconfirmed
    webhook, and `raw` is then the API's response. `seal` is not used.
    """

    event_id: EventId
    digest: bytes
    provider: str
    mode: Mode
    provider_event_id: str | None
    event_type: str
    verification: Verification
    occurred_at: Micros | None
    received_at: Micros
    path: str
    headers: dict[str, str]
    raw: bytes
    seal: str | None = None
    verification_request_id: str | None = None


class Webhook(Record, frozen=True, kw_only=True):
    """A webhook that the gateway accepted: an envelope and, in each subclass, a payload.

    `envelope.verification` says what proves it. Nothing does if that is `unsigned_allowed`, or the webhook is an
    UnconfirmedWebhook, which the confirmer publishes as another one once the provider's API has confirmed it.
    """

    envelope: Envelope


class PaymentWebhook(Webhook, frozen=True, kw_only=True):
    payload: PaymentPayload


class ShippingWebhook(Webhook, frozen=True, kw_only=True):
    payload: ShippingPayload


class RefundWebhook(Webhook, frozen=True, kw_only=True):
    payload: RefundPayload


class OrderWebhook(Webhook, frozen=True, kw_only=True):
    payload: OrderPayload


class CustomerWebhook(Webhook, frozen=True, kw_only=True):
    payload: CustomerPayload


class BillingWebhook(Webhook, frozen=True, kw_only=True):
    payload: BillingPayload


class DisputeWebhook(Webhook, frozen=True, kw_only=True):
    payload: DisputePayload


class InvoiceWebhook(Webhook, frozen=True, kw_only=True):
    payload: InvoicePayload


class TransferWebhook(Webhook, frozen=True, kw_only=True):
    payload: TransferPayload


class UnconfirmedWebhook(Webhook, frozen=True, kw_only=True):
    """A webhook that its provider's API has to confirm. `envelope.event_id` is the id of the verification request.

    The confirmed event that may follow has an event id of its own. `source` is the sender's rate limit key, an
    IPv4 address or the upper 64 bits of an IPv6 address as a decimal number: a sender of many webhooks does not delay
    the requests of the others.
    """

    payload: VerificationRequest
    source: str | None = None
