"""What became true, in the past tense: the domain events services announce."""

from stream.events.record import Mode, Record


class DomainEvent(Record, frozen=True, kw_only=True):
    """A domain event: what became true, in the past tense, told once. Whom it concerns: the order, or the customer."""

    event_id: str
    caused_by: str
    mode: Mode
    occurred_at: int | None
    received_at: int
    order_id: str | None
    customer_id: str | None = None
    contact: str | None = None


class PaymentCompleted(DomainEvent, frozen=True, kw_only=True):
    """The order is paid. `reason` says why it is so again: `refund_failed`, after a refund that gave nothing back.

    `released_amount`, here and below: a part of the authorization that was not captured, and whose release has a refund
    of its own at the provider, which gives nothing back.
    """

    provider: str
    amount: int | None
    currency: str
    method: str | None
    transaction_id: str | None
    paid_at: int | None
    reason: str | None = None
    released_amount: int | None = None


class PaymentFailed(DomainEvent, frozen=True, kw_only=True):
    provider: str
    amount: int | None
    currency: str
    transaction_id: str | None
    reason: str | None


class PaymentCancelled(DomainEvent, frozen=True, kw_only=True):
    provider: str
    amount: int | None
    currency: str
    transaction_id: str | None
    refunded_amount: int | None = None
    cancelled_at: int | None = None
    released_amount: int | None = None


class PaymentRefunded(DomainEvent, frozen=True, kw_only=True):
    """A part of the payment was given back: `amount` now, `refunded_amount` in all."""

    provider: str
    amount: int
    refunded_amount: int
    currency: str
    transaction_id: str | None


class PaymentOverpaid(DomainEvent, frozen=True, kw_only=True):
    """The order was paid once more, by this transaction."""

    provider: str
    amount: int | None
    currency: str
    transaction_id: str
    released_amount: int | None = None


class DepositAwaited(DomainEvent, frozen=True, kw_only=True):
    """An account was issued; the payment waits for a transfer to it."""

    provider: str
    amount: int | None
    currency: str
    transaction_id: str | None


class DepositReversed(DomainEvent, frozen=True, kw_only=True):
    """The bank took a deposit back: what was paid is awaited again."""

    provider: str
    amount: int | None
    currency: str
    transaction_id: str | None


class DisputeEvent(DomainEvent, frozen=True, kw_only=True):
    """`status` is the provider's word for the dispute's state, such as needs_response or lost."""

    provider: str
    dispute_id: str
    status: str
    reason: str | None
    amount: int | None
    currency: str
    evidence_due_by: int | None
    transaction_id: str | None


class DisputeOpened(DisputeEvent, frozen=True, kw_only=True):
    """A customer's bank disputes the payment, or asks about it; an answer is due by `evidence_due_by`."""


class DisputeClosed(DisputeEvent, frozen=True, kw_only=True):
    """A dispute is settled: won, lost (the bank took the money back), closed, or an inquiry that came to nothing."""


class BillingScheduled(DomainEvent, frozen=True, kw_only=True):
    """The provider will charge again for the subscription that this order began."""

    provider: str
    next_billing_at: int | None
    amount: int | None
    currency: str


class AmountMismatched(DomainEvent, frozen=True, kw_only=True):
    """The provider's amount is not the order's."""

    amount: int
    currency: str
    expected_amount: int
    expected_currency: str
    transaction_id: str | None
    released_amount: int | None = None


class RefundMismatched(DomainEvent, frozen=True, kw_only=True):
    """A refund or cancel does not fit what was paid, and does not count.

    `reason` is `exceeds_payment`, `other_currency`, `other_provider` or `other_transaction`; `amount` is what is said
    to be given back, `paid_amount` what was paid as far as anybody knows.
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
    """Somebody should give this money back; hookstream never moves money itself."""

    refund_id: str
    amount: int
    currency: str
    reason: str
    transaction_id: str | None


class ShipmentEvent(DomainEvent, frozen=True, kw_only=True):
    carrier: str | None
    tracking_number: str | None
    location: str | None


class ShipmentInTransit(ShipmentEvent, frozen=True, kw_only=True):
    pass


class ShipmentOutForDelivery(ShipmentEvent, frozen=True, kw_only=True):
    pass


class ShipmentDelivered(ShipmentEvent, frozen=True, kw_only=True):
    pass


class ShipmentFailed(ShipmentEvent, frozen=True, kw_only=True):
    pass


class RefundEvent(DomainEvent, frozen=True, kw_only=True):
    refund_id: str
    amount: int | None
    currency: str
    reason: str | None


class RefundCompleted(RefundEvent, frozen=True, kw_only=True):
    pass


class RefundRejected(RefundEvent, frozen=True, kw_only=True):
    pass


class SubscriptionEvent(DomainEvent, frozen=True, kw_only=True):
    """`customer_id` is the user; times are microseconds since 1970 UTC."""

    plan: str
    started_at: int | None
    ends_at: int | None
    next_billing_at: int | None


class SubscriptionActivated(SubscriptionEvent, frozen=True, kw_only=True):
    pass


class SubscriptionCancelled(SubscriptionEvent, frozen=True, kw_only=True):
    pass


class PlanMissing(DomainEvent, frozen=True, kw_only=True):
    """A payment reached the subscriptions whose order names no user and plan."""


class InvoiceEvent(DomainEvent, frozen=True, kw_only=True):
    """A crypto invoice reached a state; cash in minor units, crypto as a decimal text."""

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
    """An invoice that was completed, and credited in full, is called underpaid by its provider afterwards."""


class InvoiceCancelled(InvoiceEvent, frozen=True, kw_only=True):
    pass


class InvoiceRejected(InvoiceEvent, frozen=True, kw_only=True):
    pass


class CreditAdded(DomainEvent, frozen=True, kw_only=True):
    """An entry of the customer's ledger, told once: `amount` now, `balance` by the sum of the entries then."""

    invoice_id: str
    entry_id: str
    amount: int
    currency: str
    balance: int


class DigitalDeliveryRequested(DomainEvent, frozen=True, kw_only=True):
    """Somebody should hand on the digital goods that `title` names."""

    invoice_id: str
    title: str


class CryptoRefundRequested(DomainEvent, frozen=True, kw_only=True):
    """Somebody should send this crypto back: a decimal text and its asset's id."""

    refund_id: str
    invoice_id: str
    amount: str
    asset: str | None
    reason: str
    transaction_id: str | None
