"""What became true, in the past tense: the domain events services announce."""

from stream.events.record import Mode, Record


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
