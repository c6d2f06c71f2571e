"""The domain events of payments: paid, failed, refunded, disputed, and amounts that do not match.

`state` is the order's payment after the event; None in records from before the field existed. `released_amount` is the
part of an authorization that was not captured, if the provider represents its release as a refund; no money moved.
"""

from stream.events.domain_events.domain_event import DomainEvent
from stream.events.domain_events.states import PaymentState
from stream.events.record import Micros


class PaymentEvent(DomainEvent, frozen=True, kw_only=True):
    """A change of one transaction of the order; `amount` is the amount of the transaction.

    PaymentCompleted and PaymentRefunded are no subclasses, because their schemas have the fields in another order.
    """

    provider: str
    amount: int | None
    currency: str
    transaction_id: str | None


class PaymentCompleted(DomainEvent, frozen=True, kw_only=True):
    """The order is paid. `reason` is `refund_failed` if the order is paid again because its refund failed."""

    provider: str
    amount: int | None
    currency: str
    method: str | None
    transaction_id: str | None
    paid_at: Micros | None
    reason: str | None = None
    released_amount: int | None = None
    state: PaymentState | None = None


class PaymentFailed(PaymentEvent, frozen=True, kw_only=True):
    """An attempt to pay the order failed."""

    reason: str | None
    state: PaymentState | None = None


class PaymentCancelled(PaymentEvent, frozen=True, kw_only=True):
    """The whole payment was cancelled; `refunded_amount` is the sum of all refunds of it."""

    refunded_amount: int | None = None
    cancelled_at: Micros | None = None
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
    """The order was paid already, and this transaction paid it again."""

    provider: str
    amount: int | None
    currency: str
    transaction_id: str
    released_amount: int | None = None


class DepositAwaited(PaymentEvent, frozen=True, kw_only=True):
    """A deposit account was issued; the payment awaits a bank transfer to it."""

    state: PaymentState | None = None


class DepositReversed(PaymentEvent, frozen=True, kw_only=True):
    """The bank reversed a deposit: the payment awaits a transfer again."""

    state: PaymentState | None = None


class AmountMismatched(DomainEvent, frozen=True, kw_only=True):
    """The amount or currency paid differs from the order's, which are `expected_amount` and `expected_currency`."""

    amount: int
    currency: str
    expected_amount: int
    expected_currency: str
    transaction_id: str | None
    released_amount: int | None = None
    state: PaymentState | None = None


class BillingScheduled(DomainEvent, frozen=True, kw_only=True):
    """The provider will charge `amount` again, for the subscription that began with this order."""

    provider: str
    next_billing_at: Micros | None
    amount: int | None
    currency: str


class PaymentUpdated(DomainEvent, frozen=True, kw_only=True):
    """The payment's columns in the order view changed, and no other event of the change carries them."""

    state: PaymentState


class DisputeEvent(DomainEvent, frozen=True, kw_only=True):
    """A change of a dispute; `status` is the provider's term for its state, such as needs_response or lost."""

    provider: str
    dispute_id: str
    status: str
    reason: str | None
    amount: int | None
    currency: str
    evidence_due_by: Micros | None
    transaction_id: str | None


class DisputeOpened(DisputeEvent, frozen=True, kw_only=True):
    """A customer's bank disputes the payment or inquires about it; a response is due by `evidence_due_by`."""


class DisputeClosed(DisputeEvent, frozen=True, kw_only=True):
    """A dispute ended: won, lost (the bank took the money back) or closed; or an inquiry was closed."""
