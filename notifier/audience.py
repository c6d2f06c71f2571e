"""Who is told what: one table. A fact that is not in it is nobody's mail."""

from typing import Literal

from stream.events import (
    AmountMismatched,
    BillingScheduled,
    CreditAdded,
    CryptoRefundRequested,
    DepositAwaited,
    DepositReversed,
    DigitalDeliveryRequested,
    Fact,
    InvoiceCancelled,
    InvoiceCompleted,
    InvoiceFailed,
    InvoicePending,
    InvoiceRejected,
    InvoiceUnderpaid,
    PaymentCancelled,
    PaymentCompleted,
    PaymentFailed,
    PaymentOverpaid,
    PaymentRefunded,
    PlanMissing,
    RefundCompleted,
    RefundMismatched,
    RefundRejected,
    RefundRequested,
    ShipmentDelivered,
    ShipmentFailed,
    ShipmentInTransit,
    ShipmentOutForDelivery,
    SubscriptionActivated,
    SubscriptionCancelled,
)

Audience = Literal["customer", "seller", "operator"]

AUDIENCES: dict[type[Fact], tuple[Audience, ...]] = {
    PaymentCompleted: ("customer", "seller"),
    PaymentFailed: ("customer",),
    PaymentCancelled: ("customer",),
    PaymentRefunded: ("customer",),
    DepositAwaited: ("customer",),
    DepositReversed: ("customer", "operator"),
    ShipmentInTransit: ("customer",),
    ShipmentOutForDelivery: ("customer",),
    ShipmentDelivered: ("customer",),
    ShipmentFailed: ("customer",),
    RefundCompleted: ("customer",),
    RefundRejected: ("customer",),
    SubscriptionActivated: ("customer",),
    SubscriptionCancelled: ("customer",),
    InvoicePending: ("customer",),
    InvoiceCompleted: ("customer",),
    InvoiceFailed: ("customer",),
    InvoiceCancelled: ("customer",),
    InvoiceRejected: ("customer",),
    DigitalDeliveryRequested: ("customer",),
    AmountMismatched: ("operator",),
    PaymentOverpaid: ("operator",),
    RefundRequested: ("operator",),
    RefundMismatched: ("operator",),
    InvoiceUnderpaid: ("operator",),
    CryptoRefundRequested: ("operator",),
    PlanMissing: ("operator",),
}
SILENT: tuple[type[Fact], ...] = (BillingScheduled, CreditAdded)
"""Nobody's mail: a date that is shown with the plan, and a credit that InvoiceCompleted tells."""


def audiences(fact: Fact) -> tuple[Audience, ...]:
    """Who is told this fact. A payment of 0 took nothing: nobody is thanked for it."""
    if isinstance(fact, PaymentCompleted) and fact.amount == 0:
        return ()
    return AUDIENCES.get(type(fact), ())


LOCALES = ("ko", "en")
"""The first speaks when nothing says otherwise."""


def locale_of(*wishes: str | None) -> str:
    """The language of a mail: the first wish we can write in, such as `en-US`, else Korean."""
    for wish in wishes:
        language = (wish or "").replace("_", "-").split("-")[0].lower()
        if language in LOCALES:
            return language
    return LOCALES[0]
