"""Parses Stripe's charges: succeeded, captured, failed, refunded, updated. `version` is the event's API version."""

from providers.contract import InvalidField, Unsupported
from providers.parsing.money import whole_units
from providers.stripe.objects import StripeCharge
from providers.stripe.parsed_payment import ParsedPayment, refunds_releases, released_part
from stream.events import PaymentStatus


def parse_succeeded(charge: StripeCharge, version: str | None) -> ParsedPayment:
    """Parse a charge that succeeded or was captured. While it is not captured, the payment is pending."""
    amount, captured = whole_units(charge.amount), _captured(charge)
    if charge.captured is False:
        return _charge("pending", charge, amount)
    paid = _charge("completed", charge, captured)
    return paid._replace(released=released_part(amount, captured)) if refunds_releases(version) else paid


def parse_failed(charge: StripeCharge, _: str | None) -> ParsedPayment:
    """Parse a charge that failed: one of the attempts to pay an intent."""
    failed = _charge("failed", charge, whole_units(charge.amount))
    return failed._replace(failure_reason=charge.failure_message, attempt=charge.id)


def parse_refunded(charge: StripeCharge, version: str | None) -> ParsedPayment:
    """Parse a refunded charge: the result's `refunded` is the total given back so far, without released parts.

    By that total, the payment is completed, partially cancelled or cancelled. A charge that was never captured gives
    nothing back: it is pending, or cancelled if all of it is released. Raises InvalidField without `amount_refunded`.
    """
    if (refunded := whole_units(charge.amount_refunded, "amount_refunded")) is None:
        raise InvalidField("amount_refunded is missing")
    if charge.captured is False:  # only an authorization is released; no money had moved
        return _charge("cancelled" if charge.refunded else "pending", charge, whole_units(charge.amount))._replace(
            refunded=0
        )
    captured = _captured(charge)
    released = released_part(whole_units(charge.amount), captured) or 0
    if not _counts_release(charge, refunded, captured, released, version):
        released = 0
    given_back = max(0, refunded - released)
    if captured is not None:
        given_back = min(given_back, captured)
    is_all = charge.refunded or given_back == captured
    status: PaymentStatus = "completed" if not given_back else "cancelled" if is_all else "partially_cancelled"
    parsed = _charge(status, charge, captured)
    return parsed._replace(refunded=given_back, is_paid_now=False, released=released or None)


def _counts_release(
    charge: StripeCharge, refunded: int, captured: int | None, released: int, version: str | None
) -> bool:
    """Return whether `amount_refunded` contains the released part.

    The amounts decide if they can. The API version of an event is that of its endpoint, but the money may have been
    taken by another version, or with the newer behaviour (`disable_refund_on_auth_release`).
    """
    if refunded < released:
        return False
    if captured is not None and refunded > captured:
        return True
    return refunds_releases(version) and not (charge.refunded and refunded == captured)


def parse_updated(charge: StripeCharge, version: str | None) -> ParsedPayment:
    """Parse an updated charge as a refunded one: after a failed refund, the total given back is lower than before.

    Raises Unsupported for a charge without captured money or refunded amount.
    """
    if charge.status != "succeeded" or not charge.captured or whole_units(charge.amount_refunded) is None:
        raise Unsupported("the event reports no change of money")
    return parse_refunded(charge, version)


def _captured(charge: StripeCharge) -> int | None:
    return whole_units(charge.amount_captured, "amount_captured") or whole_units(charge.amount)


def _charge(status: PaymentStatus, charge: StripeCharge, units: int | None) -> ParsedPayment:
    method = charge.payment_method_details.type if charge.payment_method_details else None
    return ParsedPayment(status, charge, (charge.payment_intent, charge.id), units, method)
