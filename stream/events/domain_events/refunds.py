"""The domain events of refunds, and the requests to refund that operators follow."""

from stream.events.domain_events.domain_event import DomainEvent
from stream.events.domain_events.states import RefundState


class RefundEvent(DomainEvent, frozen=True, kw_only=True):
    """A change of one refund. `refund_id` is the shop's or the provider's; `state` sums up all refunds of the order."""

    refund_id: str
    amount: int | None
    currency: str
    reason: str | None
    state: RefundState | None = None


class RefundCompleted(RefundEvent, frozen=True, kw_only=True):
    pass


class RefundRejected(RefundEvent, frozen=True, kw_only=True):
    pass


class RefundUpdated(DomainEvent, frozen=True, kw_only=True):
    """The columns of an order's refunds in the order view changed, and no other event of the change carries them."""

    state: RefundState


class RefundRequested(DomainEvent, frozen=True, kw_only=True):
    """An operator should refund this amount; hookstream never moves money itself."""

    refund_id: str
    amount: int
    currency: str
    reason: str
    transaction_id: str | None


class RefundMismatched(DomainEvent, frozen=True, kw_only=True):
    """A refund or cancel that does not match the payment and is not counted as a refund of it.

    `reason` is `exceeds_payment`, `other_currency`, `other_provider` or `other_transaction`. `amount` is the amount of
    the refund; `paid_amount` is the amount paid, None if it is unknown.
    """

    refund_id: str | None
    provider: str | None
    transaction_id: str | None
    amount: int | None
    currency: str
    paid_amount: int | None
    paid_currency: str | None
    reason: str
