"""The content of Stripe's payment events, before it is translated, and the parts of authorizations it contains."""

from typing import NamedTuple

from providers.stripe.objects import StripeObject
from stream.events import PaymentStatus

_NO_RELEASES = "2025-03-31"
"""The first API version in which releasing an amount that was not captured is neither a refund nor in any sum
(docs.stripe.com/changelog/basil/2025-03-31/remove-refund-from-partial-capture-and-payment-cancellation-flow).
"""


class ParsedPayment(NamedTuple):
    """The content of a payment event. Amounts are in Stripe's units.

    The transaction's id is the first of `ids` that is not None. `units` is the amount, `refunded` the total given back
    so far; None: the event does not state it. `source` has the order and the currency.
    """

    status: PaymentStatus
    source: StripeObject
    ids: tuple[str | None, ...]
    units: int | None
    method: str | None = None
    failure_reason: str | None = None
    refunded: int | None = None
    is_paid_now: bool = True
    """True if a completed payment was paid at the time of the event, False if before."""
    attempt: str | None = None
    """The id of the failed charge: each attempt to pay an intent has its own. None for other events."""
    released: int | None = None
    """The part of the authorization that was not captured, where Stripe counts its release as a refund."""


def released_part(authorized: int | None, captured: int | None) -> int | None:
    """Return the part of an authorization that was not captured; None if there is none or an amount is unknown."""
    return authorized - captured if authorized and captured and authorized > captured else None


def refunds_releases(version: str | None) -> bool:
    """Return whether this API version, such as `2025-02-24.acacia`, counts the release of the rest as a refund.

    True before 2025-03-31, and for an unknown version (None).
    """
    return (version or "") < _NO_RELEASES
