"""The language of the system: one frozen record per Avro schema, named alike.

Times are microseconds since 1970 UTC, money is an integer of minor units (ISO 4217) beside its currency.
"""

from typing import Literal

import msgspec

Mode = Literal["live", "test"]
Verification = Literal["signature", "shared_secret", "confirmed", "source_ip", "unsigned_allowed"]
PaymentStatus = Literal[
    "pending", "waiting_for_deposit", "failed", "expired", "completed", "partially_cancelled", "cancelled"
]
ShippingStatus = Literal["preparing", "in_transit", "out_for_delivery", "failed", "delivered"]
RefundStatus = Literal["pending", "processing", "rejected", "completed"]
OutcomeKind = Literal["processed", "late", "duplicate", "conflict", "waiting", "retrying", "abandoned"]


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a topic carries."""


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


class Fact(Record, frozen=True, kw_only=True):
    """A domain event: what became true, in the past tense, told once. Whom it concerns: the order, or the customer."""

    event_id: str
    caused_by: str
    mode: Mode
    occurred_at: int | None
    received_at: int
    order_id: str | None
    customer_id: str | None = None
    contact: str | None = None


class PaymentCompleted(Fact, frozen=True, kw_only=True):
    provider: str
    amount: int | None
    currency: str
    method: str | None
    transaction_id: str | None
    paid_at: int | None


class PaymentFailed(Fact, frozen=True, kw_only=True):
    provider: str
    amount: int | None
    currency: str
    transaction_id: str | None
    reason: str | None


class PaymentCancelled(Fact, frozen=True, kw_only=True):
    provider: str
    amount: int | None
    currency: str
    transaction_id: str | None


class AmountMismatched(Fact, frozen=True, kw_only=True):
    """The provider's amount is not the order's."""

    amount: int
    currency: str
    expected_amount: int
    expected_currency: str
    transaction_id: str | None


class RefundRequested(Fact, frozen=True, kw_only=True):
    """Somebody should give this money back; hookstream never moves money itself."""

    refund_id: str
    amount: int
    currency: str
    reason: str
    transaction_id: str | None


class ShipmentFact(Fact, frozen=True, kw_only=True):
    carrier: str | None
    tracking_number: str | None
    location: str | None


class ShipmentInTransit(ShipmentFact, frozen=True, kw_only=True):
    pass


class ShipmentOutForDelivery(ShipmentFact, frozen=True, kw_only=True):
    pass


class ShipmentDelivered(ShipmentFact, frozen=True, kw_only=True):
    pass


class ShipmentFailed(ShipmentFact, frozen=True, kw_only=True):
    pass


class RefundFact(Fact, frozen=True, kw_only=True):
    refund_id: str
    amount: int | None
    currency: str
    reason: str | None


class RefundCompleted(RefundFact, frozen=True, kw_only=True):
    pass


class RefundRejected(RefundFact, frozen=True, kw_only=True):
    pass


class RejectedWebhook(Record, frozen=True, kw_only=True):
    """A refused request: its cause, and no more of it than an investigation needs."""

    provider: str
    path: str
    cause: str
    headers: dict[str, str]
    digest: bytes
    excerpt: bytes
    received_at: int


class QuarantinedWebhook(Record, frozen=True, kw_only=True):
    """Genuine but unreadable or unsupported: its bytes, kept until somebody can read them."""

    event_id: str
    provider: str
    mode: Mode
    cause: str
    detail: str
    verification: Verification
    received_at: int
    path: str
    headers: dict[str, str]
    raw: bytes


class Outcome(Record, frozen=True, kw_only=True):
    """What a service made of one record."""

    event_id: str
    service: str
    topic: str
    partition: int
    offset: int
    outcome: OutcomeKind
    attempt: int
    error: str | None
    at: int


class DeadRecord(Record, frozen=True, kw_only=True):
    """A record a service gave up on: its bytes, where it stood, and why."""

    event_id: str
    service: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    error: str
    at: int


class NotificationSent(Record, frozen=True, kw_only=True):
    """A person was told a fact. Names the customer, never the address."""

    notification_id: str
    fact_id: str
    fact_type: str
    audience: str
    channel: str
    order_id: str | None
    customer_id: str | None
    locale: str
    message_id: str
    sent_at: int
