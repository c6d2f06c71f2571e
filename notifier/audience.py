"""Who is told what: one table. A fact that is not in it is nobody's mail."""

from typing import Literal

from stream.events import (
    AmountMismatched,
    Fact,
    PaymentCancelled,
    PaymentCompleted,
    PaymentFailed,
    RefundCompleted,
    RefundRejected,
    RefundRequested,
    ShipmentDelivered,
    ShipmentFailed,
    ShipmentInTransit,
    ShipmentOutForDelivery,
)

Audience = Literal["customer", "seller", "operator"]

AUDIENCES: dict[type[Fact], tuple[Audience, ...]] = {
    PaymentCompleted: ("customer", "seller"),
    PaymentFailed: ("customer",),
    PaymentCancelled: ("customer",),
    ShipmentInTransit: ("customer",),
    ShipmentOutForDelivery: ("customer",),
    ShipmentDelivered: ("customer",),
    ShipmentFailed: ("customer",),
    RefundCompleted: ("customer",),
    RefundRejected: ("customer",),
    AmountMismatched: ("operator",),
    RefundRequested: ("operator",),
}
LOCALES = ("ko", "en")
"""The first speaks when nothing says otherwise."""


def locale_of(*wishes: str | None) -> str:
    """The language of a mail: the first wish we can write in, such as `en-US`, else Korean."""
    for wish in wishes:
        language = (wish or "").replace("_", "-").split("-")[0].lower()
        if language in LOCALES:
            return language
    return LOCALES[0]
