"""The domain events of crypto invoices, and of the credits and goods that follow a paid one."""

from stream.events.domain_events.domain_event import DomainEvent


class InvoiceEvent(DomainEvent, frozen=True, kw_only=True):
    """A change of a crypto invoice. `amount` is in minor units of `currency`; crypto amounts are decimal strings."""

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
    """The provider reports an invoice as underpaid after it was completed and credited in full."""


class InvoiceCancelled(InvoiceEvent, frozen=True, kw_only=True):
    pass


class InvoiceRejected(InvoiceEvent, frozen=True, kw_only=True):
    pass


class CreditAdded(DomainEvent, frozen=True, kw_only=True):
    """A new entry in the customer's ledger; `balance` is the sum of the customer's entries including this one."""

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
