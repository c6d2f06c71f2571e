"""What providers and the shop tell us: an envelope, and a notice in our words."""

from stream.events.record import Mode, PaymentStatus, Record, RefundStatus, ShippingStatus, Verification


class Envelope(Record, frozen=True, kw_only=True):
    """Where a webhook came from and how it was proved: all that is needed to verify and translate it again."""

    event_id: str
    digest: bytes
    provider: str
    mode: Mode
    provider_event_id: str | None
    event_type: str
    verification: Verification
    occurred_at: int | None
    received_at: int
    path: str
    headers: dict[str, str]
    raw: bytes
    seal: str | None = None


class Notice(Record, frozen=True, kw_only=True):
    """What a webhook says, in our words: the canonical fields its digest is taken from."""


class Webhook(Record, frozen=True, kw_only=True):
    """A verified webhook: an envelope and, in each record below, what it says."""

    envelope: Envelope


class PaymentNotice(Notice, frozen=True, kw_only=True):
    """`reference` is the provider's name for the payment where it does not name the shop's order."""

    order_id: str | None
    reference: str | None = None
    status: PaymentStatus
    method: str | None = None
    transaction_id: str | None = None
    pg_transaction_id: str | None = None
    amount: int | None = None
    currency: str = "KRW"
    failure_reason: str | None = None
    paid_at: int | None = None


class ShippingNotice(Notice, frozen=True, kw_only=True):
    """`carrier` as it was written, `carrier_code` one spelling of it; one order may have several parcels."""

    order_id: str | None
    reference: str | None = None
    status: ShippingStatus
    carrier: str | None = None
    carrier_code: str | None = None
    tracking_number: str | None = None
    location: str | None = None
    scanned_at: int | None = None


class RefundNotice(Notice, frozen=True, kw_only=True):
    """One refund of an order, named by the shop's or the provider's refund id."""

    order_id: str | None
    reference: str | None = None
    refund_id: str
    status: RefundStatus
    amount: int | None = None
    currency: str = "KRW"
    reason: str | None = None
    refunded_at: int | None = None


class OrderNotice(Notice, frozen=True, kw_only=True):
    """The shop's order: who bought, who sells, what the payment should be."""

    order_id: str
    customer_id: str | None = None
    customer_email: str | None = None
    customer_name: str | None = None
    seller_id: str | None = None
    seller_email: str | None = None
    locale: str | None = None
    amount: int | None = None
    currency: str | None = None
    link: str | None = None
    updated_at: int | None = None


class CustomerNotice(Notice, frozen=True, kw_only=True):
    """One of the shop's people."""

    customer_id: str
    email: str
    name: str | None = None
    locale: str | None = None
    updated_at: int | None = None


class PaymentWebhook(Webhook, frozen=True, kw_only=True):
    notice: PaymentNotice


class ShippingWebhook(Webhook, frozen=True, kw_only=True):
    notice: ShippingNotice


class RefundWebhook(Webhook, frozen=True, kw_only=True):
    notice: RefundNotice


class OrderWebhook(Webhook, frozen=True, kw_only=True):
    notice: OrderNotice


class CustomerWebhook(Webhook, frozen=True, kw_only=True):
    notice: CustomerNotice
