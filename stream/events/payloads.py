"""The contents of webhooks in canonical fields, the same for all providers.

Amounts are in minor units of the currency beside them.
"""

import msgspec

from stream.events.record import (
    DisputeStatus,
    InvoiceState,
    Micros,
    OrderId,
    PaymentStatus,
    Record,
    RefundStatus,
    ShippingStatus,
    TransferState,
)


class Payload(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A webhook's content in canonical fields, from which its digest is computed.

    Fields with their default value are omitted from the encoding, so that adding a field changes no existing digest.
    """


class Cancel(Record, frozen=True, kw_only=True):
    """A cancellation or refund of a payment, whole or in part; `id` is the provider's id of it."""

    id: str
    amount: int
    reason: str | None = None
    cancelled_at: Micros | None = None


class PaymentPayload(Payload, frozen=True, kw_only=True):
    """The status of a payment. `alias` is the provider's id of it if the webhook does not name the shop's order.

    `aliases` are further ids of the payment at the provider that later webhooks may use instead of the order. Refunds
    are given either as `cancels`, one entry each, or as `refunded_amount`, their sum so far. `partially_cancelled` with
    the whole amount refunded counts as `cancelled`. `released_amount` is the part of an authorization that was not
    captured, if the provider represents its release as a refund; no money moved.
    """

    order_id: OrderId | None
    alias: str | None = None
    status: PaymentStatus
    method: str | None = None
    transaction_id: str | None = None
    pg_transaction_id: str | None = None
    amount: int | None = None
    currency: str = "KRW"
    failure_reason: str | None = None
    paid_at: Micros | None = None
    cancels: tuple[Cancel, ...] = ()
    refunded_amount: int | None = None
    released_amount: int | None = None
    aliases: tuple[str, ...] = ()
    user_id: str | None = None


class BillingPayload(Payload, frozen=True, kw_only=True):
    """The provider will charge the card of the order's subscription again, at `next_billing_at` if that is known."""

    order_id: OrderId | None
    alias: str | None = None
    next_billing_at: Micros | None = None
    amount: int | None = None
    currency: str = "KRW"


class DisputePayload(Payload, frozen=True, kw_only=True):
    """The status of a dispute that a customer's bank has opened.

    The payment is identified as in PaymentPayload. A status that begins with `warning` is an inquiry: no money moved.
    `evidence_due_by` is the deadline for a response to the bank. `funds` is `withdrawn` when the provider has taken the
    amount from the shop's balance, `reinstated` when it has returned it.
    """

    order_id: OrderId | None
    alias: str | None = None
    dispute_id: str
    status: DisputeStatus
    reason: str | None = None
    amount: int | None = None
    currency: str = "KRW"
    evidence_due_by: Micros | None = None
    funds: str | None = None
    transaction_id: str | None = None
    aliases: tuple[str, ...] = ()


class ShippingPayload(Payload, frozen=True, kw_only=True):
    """The status of a parcel; an order may have several.

    `carrier` is the carrier as the sender spelled it, `carrier_code` its one normalised spelling.
    """

    order_id: OrderId | None
    alias: str | None = None
    status: ShippingStatus
    carrier: str | None = None
    carrier_code: str | None = None
    tracking_number: str | None = None
    location: str | None = None
    scanned_at: Micros | None = None


class RefundPayload(Payload, frozen=True, kw_only=True):
    """The status of a refund; `refund_id` is the shop's or the provider's.

    `reported_by_payment` is True when the provider also reports the refund in a payment webhook. People are then
    notified of the refund's success by the payment's events, and not by the refund's.
    """

    order_id: OrderId | None
    alias: str | None = None
    refund_id: str
    status: RefundStatus
    amount: int | None = None
    currency: str = "KRW"
    reason: str | None = None
    refunded_at: Micros | None = None
    aliases: tuple[str, ...] = ()
    reported_by_payment: bool = False


class InvoicePayload(Payload, frozen=True, kw_only=True):
    """The state of a crypto invoice. `cash_amount` is in minor units; crypto amounts are decimal strings.

    `transaction_id`, hash, addresses and block belong to the transfer that pays it.
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
    completed_at: Micros | None = None
    expired_at: Micros | None = None
    transaction_hash: str | None = None
    from_address: str | None = None
    to_address: str | None = None
    block_number: int | None = None


class TransferPayload(Payload, frozen=True, kw_only=True):
    """The state of a blockchain transfer that pays an invoice; later webhooks may give only its `transaction_id`.

    `amount` is a decimal string of the asset.
    """

    invoice_id: str | None = None
    alias: str | None = None
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
    changed_at: Micros | None = None


class VerificationRequest(Payload, frozen=True, kw_only=True):
    """A request to confirm an unsigned webhook: to get the object of kind `subject` with the id `alias` from the API.

    `claims` are statements of the webhook for the provider's module to compare with the response.
    """

    subject: str
    alias: str
    order_id: OrderId | None = None
    claims: dict[str, str] = msgspec.field(default_factory=dict)


class OrderPayload(Payload, frozen=True, kw_only=True):
    """An order of the shop: customer, seller, and the amount to be paid. A field that is not stated is None.

    `customer_email` or `customer_id` is given. An address may be unusable, as the shop posted it: see
    `stream.events.text.email_address`. `currency` is None without an `amount`. `link` is a URL or only a path.
    """

    order_id: OrderId
    customer_id: str | None = None
    customer_email: str | None = None
    customer_name: str | None = None
    seller_id: str | None = None
    seller_email: str | None = None
    locale: str | None = None
    amount: int | None = None
    currency: str | None = None
    link: str | None = None
    updated_at: Micros | None = None


class CustomerPayload(Payload, frozen=True, kw_only=True):
    """A customer of the shop; `email` is the address for notifications."""

    customer_id: str
    email: str
    name: str | None = None
    locale: str | None = None
    updated_at: Micros | None = None
