"""What providers and the shop tell us: an envelope, and a notice in our words."""

import msgspec

from stream.events.record import (
    DisputeStatus,
    InvoiceState,
    Mode,
    PaymentStatus,
    Record,
    RefundStatus,
    ShippingStatus,
    TransferState,
    Verification,
)


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
    receipt_id: str | None = None


class Notice(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What a webhook says, in our words: the canonical fields its digest is taken from.

    What is left open is left out, so that a field added one day changes no digest of what was said before.
    """


class Webhook(Record, frozen=True, kw_only=True):
    """A verified webhook: an envelope and, in each record below, what it says."""

    envelope: Envelope


class Cancel(Record, frozen=True, kw_only=True):
    """One giving back of a payment, whole or in part, under the provider's own id of it."""

    id: str
    amount: int
    reason: str | None = None
    cancelled_at: int | None = None


class PaymentNotice(Notice, frozen=True, kw_only=True):
    """`reference` is the provider's name for the payment where it does not name the shop's order.

    `references` are all its names at the provider that later webhooks may use instead of the order. What was given
    back comes as `cancels`, each an entry, or as `refunded_amount`, all so far; a partial status with all of the
    amount given back is a whole one. `released_amount` is the part of an authorization that was not captured, where the
    provider makes a refund of its release, which gives nothing back.
    """

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
    cancels: tuple[Cancel, ...] = ()
    refunded_amount: int | None = None
    released_amount: int | None = None
    references: tuple[str, ...] = ()
    user_id: str | None = None


class BillingNotice(Notice, frozen=True, kw_only=True):
    """The provider will charge this subscription's card again, at `next_billing_at` where it says when."""

    order_id: str | None
    reference: str | None = None
    next_billing_at: int | None = None
    amount: int | None = None
    currency: str = "KRW"


class DisputeNotice(Notice, frozen=True, kw_only=True):
    """A customer's bank disputes a payment, or settles a dispute.

    It names the payment as PaymentNotice does. A status that begins with `warning` is an inquiry: no money has moved.
    `evidence_due_by` is the deadline for an answer to the bank; `funds` says whether the provider has taken the amount
    from the shop's balance (`withdrawn`) or given it back (`reinstated`).
    """

    order_id: str | None
    reference: str | None = None
    dispute_id: str
    status: DisputeStatus
    reason: str | None = None
    amount: int | None = None
    currency: str = "KRW"
    evidence_due_by: int | None = None
    funds: str | None = None
    transaction_id: str | None = None
    references: tuple[str, ...] = ()


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
    """One refund of an order, named by the shop's or the provider's refund id.

    `told_by_payment`: the provider tells the payment of it as well, and people hear of its success from there.
    """

    order_id: str | None
    reference: str | None = None
    refund_id: str
    status: RefundStatus
    amount: int | None = None
    currency: str = "KRW"
    reason: str | None = None
    refunded_at: int | None = None
    references: tuple[str, ...] = ()
    told_by_payment: bool = False


class InvoiceNotice(Notice, frozen=True, kw_only=True):
    """A crypto invoice. Its cash is money; what was sent for it is a decimal text and the asset's id.

    Hash, addresses and block are those of the transfer that pays it, `transaction_id`.
    """

    invoice_id: str
    customer_id: str | None = None
    customer_name: str | None = None
    state: InvoiceState
    previous_state: str | None = None
    title: str | None = None
    cash_amount: int | None = None
    cash_currency: str = "KRW"
    crypto_amount: str | None = None
    crypto_asset: str | None = None
    received_amount: str | None = None
    expected_amount: str | None = None
    reason: str | None = None
    transaction_id: str | None = None
    completed_at: int | None = None
    expired_at: int | None = None
    transaction_hash: str | None = None
    from_address: str | None = None
    to_address: str | None = None
    block_number: int | None = None


class TransferNotice(Notice, frozen=True, kw_only=True):
    """A transfer on a chain that pays an invoice; later ones may name it by `transaction_id` alone."""

    invoice_id: str | None = None
    reference: str | None = None
    transaction_id: str
    customer_id: str | None = None
    state: TransferState
    amount: str | None = None
    asset: str | None = None
    hash: str | None = None
    from_address: str | None = None
    to_address: str | None = None
    block_number: int | None = None
    reason: str | None = None
    changed_at: int | None = None


class Question(Notice, frozen=True, kw_only=True):
    """What only the provider can tell: the truth about `reference`, a `subject` of its API.

    `claims` are what the webhook says of it, to be compared where that is all there is to go by.
    """

    subject: str
    reference: str
    order_id: str | None = None
    claims: dict[str, str] = msgspec.field(default_factory=dict)


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


class BillingWebhook(Webhook, frozen=True, kw_only=True):
    notice: BillingNotice


class DisputeWebhook(Webhook, frozen=True, kw_only=True):
    notice: DisputeNotice


class InvoiceWebhook(Webhook, frozen=True, kw_only=True):
    notice: InvoiceNotice


class TransferWebhook(Webhook, frozen=True, kw_only=True):
    notice: TransferNotice


class UnconfirmedWebhook(Webhook, frozen=True, kw_only=True):
    """Not yet an event: its id is a receipt's, and the event's own comes from the provider's answer.

    `source` is what its sender's address is counted as, so that one sender of many does not keep the others waiting.
    """

    notice: Question
    source: str | None = None
