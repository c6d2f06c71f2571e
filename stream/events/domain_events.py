"""The domain events that services publish, named in the past tense."""

from typing import NotRequired, TypedDict

from stream.events.record import EventId, Micros, Mode, PaymentStatus, Record, RefundStatus, ShippingStatus
from stream.events.states import PaymentState, RefundState, ShipmentState


class DomainEvent(Record, frozen=True, kw_only=True):
    """A change of state, published once, about an order or a customer.

    `caused_by` is the id of the event that caused it. `occurred_at` is the provider's time, `received_at` that of the
    gateway. `contact` is the e-mail address to notify when neither the order nor the customer has one.
    """

    event_id: EventId
    caused_by: EventId
    mode: Mode
    occurred_at: Micros | None
    received_at: Micros
    order_id: str | None
    customer_id: str | None = None
    contact: str | None = None


class EventHeader(TypedDict):
    """The fields of every domain event but `contact`, for `**header` in its constructor."""

    event_id: EventId
    caused_by: EventId
    mode: Mode
    occurred_at: Micros | None
    received_at: Micros
    order_id: str | None
    customer_id: NotRequired[str | None]


class PaymentCompleted(DomainEvent, frozen=True, kw_only=True):
    """The order is paid. `reason` is `refund_failed` if it is paid again because its refund failed.

    `released_amount`, here and below, is the part of the authorization that was not captured. The provider represents
    its release as a refund, which returns no money.
    """

    provider: str
    amount: int | None
    currency: str
    method: str | None
    transaction_id: str | None
    paid_at: int | None
    reason: str | None = None
    released_amount: int | None = None
    state: PaymentState | None = None


class PaymentFailed(DomainEvent, frozen=True, kw_only=True):
    """An attempt to pay the order failed."""

    provider: str
    amount: int | None
    currency: str
    transaction_id: str | None
    reason: str | None
    state: PaymentState | None = None


class PaymentCancelled(DomainEvent, frozen=True, kw_only=True):
    """The whole payment was cancelled; `refunded_amount` is the sum of all refunds of it."""

    provider: str
    amount: int | None
    currency: str
    transaction_id: str | None
    refunded_amount: int | None = None
    cancelled_at: int | None = None
    released_amount: int | None = None
    state: PaymentState | None = None


class PaymentRefunded(DomainEvent, frozen=True, kw_only=True):
    """A part of the payment was refunded: `amount` by this refund, `refunded_amount` in total."""

    provider: str
    amount: int
    refunded_amount: int
    currency: str
    transaction_id: str | None
    state: PaymentState | None = None


class PaymentOverpaid(DomainEvent, frozen=True, kw_only=True):
    """The order, already paid, was paid again by this transaction."""

    provider: str
    amount: int | None
    currency: str
    transaction_id: str
    released_amount: int | None = None


class DepositAwaited(DomainEvent, frozen=True, kw_only=True):
    """A deposit account was issued; the payment awaits a bank transfer to it."""

    provider: str
    amount: int | None
    currency: str
    transaction_id: str | None
    state: PaymentState | None = None


class DepositReversed(DomainEvent, frozen=True, kw_only=True):
    """The bank reversed a deposit: the payment awaits a transfer again."""

    provider: str
    amount: int | None
    currency: str
    transaction_id: str | None
    state: PaymentState | None = None


class DisputeEvent(DomainEvent, frozen=True, kw_only=True):
    """A change of a dispute; `status` is the provider's term for its state, such as needs_response or lost."""

    provider: str
    dispute_id: str
    status: str
    reason: str | None
    amount: int | None
    currency: str
    evidence_due_by: int | None
    transaction_id: str | None


class DisputeOpened(DisputeEvent, frozen=True, kw_only=True):
    """A customer's bank disputes the payment or inquires about it; a response is due by `evidence_due_by`."""


class DisputeClosed(DisputeEvent, frozen=True, kw_only=True):
    """A dispute is settled: won, lost (the bank took the money back) or closed; or an inquiry was closed."""


class BillingScheduled(DomainEvent, frozen=True, kw_only=True):
    """The provider will charge again for the subscription that began with this order."""

    provider: str
    next_billing_at: int | None
    amount: int | None
    currency: str


class AmountMismatched(DomainEvent, frozen=True, kw_only=True):
    """The amount or currency paid at the provider differs from the order's, which is `expected_amount`."""

    amount: int
    currency: str
    expected_amount: int
    expected_currency: str
    transaction_id: str | None
    released_amount: int | None = None
    state: PaymentState | None = None


class RefundMismatched(DomainEvent, frozen=True, kw_only=True):
    """A refund or cancel that does not match the payment, and is not counted.

    `reason` is `exceeds_payment`, `other_currency`, `other_provider` or `other_transaction`. `amount` is the amount of
    the refund, `paid_amount` the amount paid; None when it is unknown.
    """

    refund_id: str | None
    provider: str | None
    transaction_id: str | None
    amount: int | None
    currency: str
    paid_amount: int | None
    paid_currency: str | None
    reason: str


class RefundRequested(DomainEvent, frozen=True, kw_only=True):
    """An operator should refund this amount; hookstream never moves money itself."""

    refund_id: str
    amount: int
    currency: str
    reason: str
    transaction_id: str | None


class ShipmentEvent(DomainEvent, frozen=True, kw_only=True):
    """A change of one parcel; an order may have several."""

    carrier: str | None
    tracking_number: str | None
    location: str | None
    state: ShipmentState | None = None


class ShipmentInTransit(ShipmentEvent, frozen=True, kw_only=True):
    pass


class ShipmentOutForDelivery(ShipmentEvent, frozen=True, kw_only=True):
    pass


class ShipmentDelivered(ShipmentEvent, frozen=True, kw_only=True):
    pass


class ShipmentFailed(ShipmentEvent, frozen=True, kw_only=True):
    pass


class RefundEvent(DomainEvent, frozen=True, kw_only=True):
    """A change of one refund, with the refund id of the shop or the provider."""

    refund_id: str
    amount: int | None
    currency: str
    reason: str | None
    state: RefundState | None = None


class RefundCompleted(RefundEvent, frozen=True, kw_only=True):
    pass


class RefundRejected(RefundEvent, frozen=True, kw_only=True):
    pass


class SubscriptionEvent(DomainEvent, frozen=True, kw_only=True):
    """A change of a user's subscription; `customer_id` is the user."""

    plan: str
    started_at: int | None
    ends_at: int | None
    next_billing_at: int | None


class SubscriptionActivated(SubscriptionEvent, frozen=True, kw_only=True):
    pass


class SubscriptionCancelled(SubscriptionEvent, frozen=True, kw_only=True):
    pass


class PlanMissing(DomainEvent, frozen=True, kw_only=True):
    """A payment for a subscription arrived, but its order names no user or plan."""


class InvoiceEvent(DomainEvent, frozen=True, kw_only=True):
    """A change of a crypto invoice. `amount` is cash in minor units; crypto amounts are decimal strings."""

    invoice_id: str
    title: str | None
    amount: int | None
    currency: str
    crypto_amount: str | None
    crypto_asset: str | None
    received_amount: str | None
    expected_amount: str | None
    reason: str | None


class InvoicePending(InvoiceEvent, frozen=True, kw_only=True):
    pass


class InvoiceCompleted(InvoiceEvent, frozen=True, kw_only=True):
    pass


class InvoiceFailed(InvoiceEvent, frozen=True, kw_only=True):
    pass


class InvoiceUnderpaid(InvoiceEvent, frozen=True, kw_only=True):
    """The provider reports an invoice as underpaid that was already completed and credited in full."""


class InvoiceCancelled(InvoiceEvent, frozen=True, kw_only=True):
    pass


class InvoiceRejected(InvoiceEvent, frozen=True, kw_only=True):
    pass


class CreditAdded(DomainEvent, frozen=True, kw_only=True):
    """An entry in the customer's ledger, published once; `balance` is the sum of all entries up to it."""

    invoice_id: str
    entry_id: str
    amount: int
    currency: str
    balance: int


class DigitalDeliveryRequested(DomainEvent, frozen=True, kw_only=True):
    """An operator should deliver the digital goods named by `title`."""

    invoice_id: str
    title: str


class CryptoRefundRequested(DomainEvent, frozen=True, kw_only=True):
    """An operator should return this crypto: `amount` is a decimal string, `asset` the asset's id."""

    refund_id: str
    invoice_id: str
    amount: str
    asset: str | None
    reason: str
    transaction_id: str | None


class PaymentUpdated(DomainEvent, frozen=True, kw_only=True):
    """The payment's columns in the order view changed, and no other event of the change carries them."""

    state: PaymentState


class ShipmentUpdated(DomainEvent, frozen=True, kw_only=True):
    """A parcel's columns in the order view changed, and no other event of the change carries them.

    When the parcel moved to another order, the previous one gets the event too; `state.order_id` then differs from
    `order_id`.
    """

    state: ShipmentState


class RefundUpdated(DomainEvent, frozen=True, kw_only=True):
    """The columns of an order's refunds in the order view changed, and no other event of the change carries them."""

    state: RefundState


class OrderStatus(DomainEvent, frozen=True, kw_only=True):
    """The current state of an order; it replaces the record before it with the same key, on the only compacted topic.

    `version` is the number of events applied to the order. `set_by` has, by column, the event id of the webhook that
    set it, `set_by_events` the id of the domain event that carried the value.
    """

    version: int
    payment_status: PaymentStatus | None = None
    payment_method: str | None = None
    transaction_id: str | None = None
    paid_amount: int | None = None
    paid_at: int | None = None
    shipping_status: ShippingStatus | None = None
    tracking_number: str | None = None
    carrier: str | None = None
    last_location: str | None = None
    shipping_updated_at: int | None = None
    refund_status: RefundStatus | None = None
    refunded_amount: int | None = None
    currency: str | None = None
    ordered_amount: int | None = None
    ordered_currency: str | None = None
    subscription_plan: str | None = None
    subscription_status: str | None = None
    set_by: dict[str, str]
    set_by_events: dict[str, str]
