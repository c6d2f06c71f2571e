"""Who is told what: one table. A fact that is not in it is nobody's mail."""

import re
from functools import lru_cache
from operator import itemgetter
from typing import Literal

from providers.tosspayments import webhook as tosspayments
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
SILENT: tuple[type[DomainEvent], ...] = (BillingScheduled, CreditAdded)
"""Nobody's mail: a date that is shown with the plan, and a credit that InvoiceCompleted tells."""


def audiences(fact: DomainEvent) -> tuple[Audience, ...]:
    """Return the audiences of a domain event. A payment of 0 took nothing, so it has none.

    While the order of a dispute is not known, nobody knows its seller.
    """
    if isinstance(fact, PaymentCompleted) and fact.amount == 0:
        return ()
    if isinstance(fact, DisputeEvent) and fact.order_id is None:
        return ("operator",)
    return AUDIENCES.get(type(fact), ())


def message_id(fact: DomainEvent, audience: Audience, channel: str) -> str:
    """Return the id of the message that tells this fact to this audience.

    A dispute is a fact before its order is known and another one after: to the operator, both are one message.
    """
    if not isinstance(fact, DisputeEvent) or audience != "operator":
        return ids.notification_id(fact.event_id, audience, channel)
    is_inquiry = fact.status.startswith("warning")
    state = (fact.status,) if isinstance(fact, DisputeClosed) else (str(is_inquiry), str(fact.evidence_due_by))
    told = ids.fact_id(type(fact).__name__, "of any order", fact.provider, fact.dispute_id, *state)
    return ids.notification_id(told, audience, channel)


LOCALES = ("ko", "en")
"""The first speaks when nothing says otherwise."""
_THREE_LETTERS = {"kor": "ko", "eng": "en"}  # ISO 639-2
_SUBTAG = re.compile(r"[-_.@]")
_WEIGHT = re.compile(r"[qQ]\s*=\s*([01](?:\.\d{0,3})?)")


def is_of_a_plan(fact: DomainEvent) -> bool:
    """Return whether a payment is for a subscription: its order is the provider's, and the shop names no seller."""
    if not isinstance(fact, PaymentCompleted):
        return False
    return fact.provider == tosspayments.PROVIDER.name or bool(
        tosspayments.BUSINESS_ORDER.fullmatch(fact.order_id or "")
    )


@lru_cache(1000)
def locale_of(*wishes: str | None) -> str:
    """Return the language of a mail: the first that we write in, else Korean.

    A wish is a language tag (`en-US`), a POSIX locale (`en_US.UTF-8`) or an Accept-Language header with weights.
    """
    for wish in wishes:
        for tag in _by_weight(wish or ""):
            language = _SUBTAG.split(tag, maxsplit=1)[0].lower()
            if _THREE_LETTERS.get(language, language) in LOCALES:
                return _THREE_LETTERS.get(language, language)
    return LOCALES[0]


def _by_weight(wish: str) -> list[str]:
    """Return the tags of an Accept-Language header (RFC 9110 §12.5.4), best first, without those of weight 0."""
    weighted = []
    for part in wish.split(","):
        tag, _, parameter = part.partition(";")
        weight = _weight(parameter)
        if weight > 0:
            weighted.append((weight, tag.strip()))
    return [tag for _, tag in sorted(weighted, key=itemgetter(0), reverse=True)]


def _weight(parameter: str) -> float:
    found = _WEIGHT.fullmatch(parameter.strip())
    return float(found[1]) if found else 1.0
