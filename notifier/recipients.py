"""The audiences to mail for each domain event, the ids of their mails, and their language."""

import re
from functools import lru_cache
from operator import itemgetter
from typing import Literal

from providers.tosspayments import webhook as tosspayments
from providers.tosspayments.translation import BUSINESS_ORDER
from stream.events import (
    AmountMismatched,
    BillingScheduled,
    CreditAdded,
    CryptoRefundRequested,
    DepositAwaited,
    DepositReversed,
    DigitalDeliveryRequested,
    DisputeClosed,
    DisputeEvent,
    DisputeOpened,
    DomainEvent,
    InvoiceCancelled,
    InvoiceCompleted,
    InvoiceFailed,
    InvoicePending,
    InvoiceRejected,
    InvoiceUnderpaid,
    OrderStatus,
    PaymentCancelled,
    PaymentCompleted,
    PaymentFailed,
    PaymentOverpaid,
    PaymentRefunded,
    PaymentUpdated,
    PlanMissing,
    RefundCompleted,
    RefundMismatched,
    RefundRejected,
    RefundRequested,
    RefundUpdated,
    ShipmentDelivered,
    ShipmentFailed,
    ShipmentInTransit,
    ShipmentOutForDelivery,
    ShipmentUpdated,
    SubscriptionActivated,
    SubscriptionCancelled,
    ids,
)

Audience = Literal["customer", "seller", "operator"]

AUDIENCES: dict[type[DomainEvent], tuple[Audience, ...]] = {
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
    DisputeOpened: ("operator", "seller"),
    DisputeClosed: ("operator", "seller"),
    AmountMismatched: ("operator",),
    PaymentOverpaid: ("operator",),
    RefundRequested: ("operator",),
    RefundMismatched: ("operator",),
    InvoiceUnderpaid: ("operator",),
    CryptoRefundRequested: ("operator",),
    PlanMissing: ("operator",),
}
NOT_MAILED: tuple[type[DomainEvent], ...] = (
    BillingScheduled,
    CreditAdded,
    OrderStatus,
    PaymentUpdated,
    RefundUpdated,
    ShipmentUpdated,
)
"""Events without a mail.

A plan's mails show the date of BillingScheduled, and InvoiceCompleted covers CreditAdded. The others state details for
the order view; if these concern people, an event of their own is mailed.
"""


def audiences(event: DomainEvent) -> tuple[Audience, ...]:
    """Return the audiences to mail about a domain event; empty for types in NOT_MAILED and for a payment of 0.

    A dispute whose order is not known yet has no seller.
    """
    if isinstance(event, PaymentCompleted) and event.amount == 0:
        return ()
    if isinstance(event, DisputeEvent) and event.order_id is None:
        return ("operator",)
    return AUDIENCES.get(type(event), ())


def notification_id(event: DomainEvent, audience: Audience, channel: str) -> str:
    """Return the id of the mail, or of the message on another channel, about this event to this audience.

    A dispute is published once before and once after its order is known. Both events give the operator the same mail.
    """
    if not isinstance(event, DisputeEvent) or audience != "operator":
        return ids.notification_id(event.event_id, audience, channel)
    is_inquiry = event.status.startswith("warning")
    state = (event.status,) if isinstance(event, DisputeClosed) else (str(is_inquiry), str(event.evidence_due_by))
    identity = ids.domain_event_id(type(event).__name__, "of any order", event.provider, event.dispute_id, *state)
    return ids.notification_id(identity, audience, channel)


LOCALES = ("ko", "en")
"""The languages of mails; the first one is the default."""
_THREE_LETTERS = {"kor": "ko", "eng": "en"}  # ISO 639-2
_SUBTAG = re.compile(r"[-_.@]")
_WEIGHT = re.compile(r"[qQ]\s*=\s*([01](?:\.\d{0,3})?)")


def is_for_subscription(event: DomainEvent) -> bool:
    """Return whether the event is the payment of a subscription, whose order has no seller."""
    if not isinstance(event, PaymentCompleted):
        return False
    return event.provider == tosspayments.PROVIDER.name or bool(BUSINESS_ORDER.fullmatch(event.order_id or ""))


@lru_cache(1000)
def locale_of(*preferences: str | None) -> str:
    """Return the language of a mail: that of the first preference whose language is in LOCALES, else Korean.

    A preference is a language tag (`en-US`), a POSIX locale (`en_US.UTF-8`) or an Accept-Language header with weights.
    """
    for preference in preferences:
        for tag in _by_weight(preference or ""):
            language = _SUBTAG.split(tag, maxsplit=1)[0].lower()
            if _THREE_LETTERS.get(language, language) in LOCALES:
                return _THREE_LETTERS.get(language, language)
    return LOCALES[0]


def _by_weight(preference: str) -> list[str]:
    """Return the tags of an Accept-Language header (RFC 9110 §12.5.4), best first, without those of weight 0."""
    weighted = []
    for part in preference.split(","):
        tag, _, parameter = part.partition(";")
        weight = _weight(parameter)
        if weight > 0:
            weighted.append((weight, tag.strip()))
    return [tag for _, tag in sorted(weighted, key=itemgetter(0), reverse=True)]


def _weight(parameter: str) -> float:
    match = _WEIGHT.fullmatch(parameter.strip())
    return float(match[1]) if match else 1.0
