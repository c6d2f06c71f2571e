"""What Stripe's events say of payments and refunds, in our words.

A session, its intent and its charge tell of one transaction, which has the intent's id.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from providers.contract import InvalidField, Translation, Unsupported
from providers.parsing import json_body
from providers.parsing.money import DEFAULT_CURRENCY, currency_code, exponent, whole_units
from providers.parsing.timestamps import instant
from providers.stripe.objects import (
    CheckoutSession,
    Metadata,
    PaymentIntent,
    StripeCharge,
    StripeEvent,
    StripeObject,
    StripeRefund,
)
from stream.events import Mode, PaymentNotice, PaymentStatus, RefundNotice, RefundStatus

# What Stripe's amounts count where that is not a hundredth (docs.stripe.com/currencies). ISK and UGX have no minor unit
# and are counted in hundredths all the same; MGA is counted whole, and has two digits in ISO 4217.
_DIGITS = {
    **dict.fromkeys("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD JOD KWD OMR TND".split(), 3),
}
_IN_HUNDREDTHS = frozenset(("ISK", "UGX"))

_SCALES = (1, 10, 100, 1000, 10_000)

_NO_RELEASES = "2025-03-31"
"""The version of the API from which on the release of what was not captured is no refund, and is in no sum
(docs.stripe.com/changelog/basil/2025-03-31/remove-refund-from-partial-capture-and-payment-cancellation-flow).
"""


class ParsedPayment(NamedTuple):
    """What an event's object says of a payment. `names` are Stripe's, the transaction's first."""

    status: PaymentStatus
    thing: StripeObject
    names: tuple[str | None, ...]
    units: int | None
    method: str | None = None
    failure_reason: str | None = None
    refunded: int | None = None
    is_paid_now: bool = True
    """Whether a completed payment was paid when the event happened, and not before."""
    attempt: str | None = None
    """The charge that failed: an intent may be tried several times, with a charge for each."""
    released: int | None = None
    """The part of the authorization that was not captured, where Stripe makes a refund of its release."""


def read(raw: bytes, event_type: str) -> Translation:
    """An event of this type, in a body that `body.read` has been through.

    Raises Unsupported for a type that is not acted on, Unreadable for what such an event cannot say.
    """
    if event_type in _PAYMENTS:
        decoder, tell = _PAYMENTS[event_type]
        event = json_body.read_again(decoder, raw)
        return _payment(event, tell(event.data.object, event.api_version))
    if event_type in _REFUNDS:
        return _refund(json_body.read_again(_refund_event, raw))
    raise Unsupported(f"{event_type[:64]} is not acted on")


def iso_units(units: int, currency: str) -> int:
    """An amount of Stripe's in minor units by ISO 4217. Raises Unreadable where that is no whole number of them."""
    digits = exponent(currency)
    if digits != 2 and currency not in _DIGITS and currency not in _IN_HUNDREDTHS:  # noqa: PLR2004 - hundredths
        raise InvalidField(f"how Stripe counts {currency} is not known")
    whole, rest = divmod(units * _SCALES[digits], _SCALES[_DIGITS.get(currency, 2)])
    if rest:
        raise InvalidField(f"an amount is finer than {currency}, which has {digits} decimals")
    return whole


def _payment(event: StripeEvent[Any], told: ParsedPayment) -> Translation:
    at, order, names = event_time(event), order_id(told.thing), _known(told.names)
    amount, currency = money(told.units, told.thing.currency)
    refunded, _ = money(told.refunded, told.thing.currency)
    released, _ = money(told.released, told.thing.currency)
    notice = PaymentNotice(
        order_id=order,
        reference=None if order else names[0],
        status=told.status,
        method=told.method,
        transaction_id=names[0],
        pg_transaction_id=told.attempt,
        amount=amount,
        currency=currency,
        failure_reason=told.failure_reason,
        paid_at=at if told.status == "completed" and told.is_paid_now else None,
        refunded_amount=refunded,
        released_amount=released,
        references=tuple(sorted(set(names))),
    )
    return Translation(notice, event.type, at, event.id, event_mode(event))


def _refund(event: StripeEvent[StripeRefund]) -> Translation:
    told = event.data.object
    if told.status == "succeeded" and told.balance_transaction is None:
        raise Unsupported("it releases what was not captured: no money is given back")
    at, order, names = event_time(event), order_id(told), _known((told.payment_intent, told.charge))
    if not order and not names:
        raise InvalidField("a refund must name its payment_intent, its charge, or an order in its metadata")
    amount, currency = money(whole_units(told.amount), told.currency)
    status = _REFUND_STATUSES.get(told.status or "pending")
    if status is None:
        raise Unsupported(f"what becomes of a refund with the status {told.status} is not known")
    notice = RefundNotice(
        order_id=order,
        reference=None if order else names[0],
        refund_id=told.id,
        status=status,
        amount=amount,
        currency=currency,
        reason=(told.failure_reason if status == "rejected" else None) or told.reason,
        refunded_at=at if status == "completed" else None,
        references=tuple(sorted(set(names))),
        told_by_payment=True,
    )
    return Translation(notice, event.type, at, event.id, event_mode(event))


def _session(status: PaymentStatus | None) -> Callable[[CheckoutSession, str | None], ParsedPayment]:
    """None: the type does not say it, for a session may be completed and not yet paid."""

    def tell(told: CheckoutSession, _: str | None) -> ParsedPayment:
        if told.mode == "setup":
            raise Unsupported("a session that keeps a card for later pays nothing")
        actual = status or _SESSION_STATUSES.get(told.payment_status)
        if actual is None:
            raise Unsupported(f"whether a session with the payment_status {told.payment_status} is paid is not known")
        names = (told.payment_intent, told.id)
        return ParsedPayment(
            actual, told, names, whole_units(told.amount_total, "amount_total"), _only(told.payment_method_types)
        )

    return tell


def _intent(status: PaymentStatus) -> Callable[[PaymentIntent, str | None], ParsedPayment]:
    def tell(told: PaymentIntent, version: str | None) -> ParsedPayment:
        received = whole_units(told.amount_received, "amount_received") if status == "completed" else None
        amount = whole_units(told.amount)
        problem = told.last_payment_error.message if status == "failed" and told.last_payment_error else None
        charges = told.charges.data if told.charges else ()
        last = told.latest_charge or next((charge.id for charge in charges), None)
        names = (told.id, told.latest_charge, *(charge.id for charge in charges))
        read = ParsedPayment(status, told, names, received or amount, _only(told.payment_method_types), problem)
        if status == "failed":
            return read._replace(attempt=last)
        return read._replace(released=_released(amount, received)) if _refunds_releases(version) else read

    return tell


def _intent_canceled(told: PaymentIntent, version: str | None) -> ParsedPayment:
    """Only an intent that has not been paid can be cancelled: nothing is given back."""
    return _intent("cancelled")(told, version)._replace(refunded=0)


def _charge_succeeded(told: StripeCharge, version: str | None) -> ParsedPayment:
    """A charge that succeeds and is not captured is a promise, not yet money."""
    amount, captured = whole_units(told.amount), _captured(told)
    if told.captured is False:
        return _charge("pending", told, amount)
    paid = _charge("completed", told, captured)
    return paid._replace(released=_released(amount, captured)) if _refunds_releases(version) else paid


def _charge_failed(told: StripeCharge, _: str | None) -> ParsedPayment:
    failed = _charge("failed", told, whole_units(told.amount))
    return failed._replace(failure_reason=told.failure_message, attempt=told.id)


def _charge_refunded(told: StripeCharge, version: str | None) -> ParsedPayment:
    """`amount_refunded` is all so far; `refunded` is true once it is all."""
    if (refunded := whole_units(told.amount_refunded, "amount_refunded")) is None:
        raise InvalidField("amount_refunded is missing")
    if told.captured is False:  # a hold on the card is released: no money had moved
        return _charge("cancelled" if told.refunded else "pending", told, whole_units(told.amount))._replace(refunded=0)
    captured = _captured(told)
    released = _released(whole_units(told.amount), captured) or 0
    if not _counts_release(told, refunded, captured, released, version):
        released = 0
    given_back = max(0, refunded - released)
    if captured is not None:
        given_back = min(given_back, captured)
    is_all = told.refunded or given_back == captured
    status: PaymentStatus = "completed" if not given_back else "cancelled" if is_all else "partially_cancelled"
    read = _charge(status, told, captured)
    return read._replace(refunded=given_back, is_paid_now=False, released=released or None)


def _counts_release(
    told: StripeCharge, refunded: int, captured: int | None, released: int, version: str | None
) -> bool:
    """Return whether `amount_refunded` contains the released part.

    The amounts decide where they can: the version of an event is that of its endpoint, and the one that took the money
    may have been another (or asked for the newer behaviour with `disable_refund_on_auth_release`).
    """
    if refunded < released:
        return False
    if captured is not None and refunded > captured:
        return True
    return _refunds_releases(version) and not (told.refunded and refunded == captured)


def _refunds_releases(version: str | None) -> bool:
    """Return whether this API version, such as 2025-03-31.basil, counts the release of the rest as a refund."""
    return (version or "") < _NO_RELEASES


def _charge_updated(told: StripeCharge, version: str | None) -> ParsedPayment:
    """Less may be given back than before, as a refund failed. Raises Unsupported for one that holds no money."""
    if told.status != "succeeded" or not told.captured or whole_units(told.amount_refunded) is None:
        raise Unsupported("it tells nothing new of money")
    return _charge_refunded(told, version)


def _captured(told: StripeCharge) -> int | None:
    return whole_units(told.amount_captured, "amount_captured") or whole_units(told.amount)


def _released(authorized: int | None, captured: int | None) -> int | None:
    """The part of an authorization that was not captured; None where there is none."""
    return authorized - captured if authorized and captured and authorized > captured else None


def _charge(status: PaymentStatus, told: StripeCharge, units: int | None) -> ParsedPayment:
    method = told.payment_method_details.type if told.payment_method_details else None
    return ParsedPayment(status, told, (told.payment_intent, told.id), units, method)


def order_id(thing: StripeObject) -> str | None:
    """The shop's order, by the first name given for it that can be an id."""
    metadata = thing.metadata or Metadata()
    return metadata.order_id or metadata.orderId or thing.client_reference_id


def money(units: int | None, currency: str | None) -> tuple[int | None, str]:
    """An amount of Stripe's in minor units by ISO 4217, and its currency."""
    if units is None:
        return None, DEFAULT_CURRENCY  # which is what a notice says that tells of no money
    if not currency:
        raise InvalidField("currency is missing")
    code = currency_code(currency)
    return iso_units(units, code), code


def event_time(event: StripeEvent[Any]) -> int | None:
    """When the event was made, in microseconds."""
    return instant(event.created, "created")


def event_mode(event: StripeEvent[Any]) -> Mode | None:
    """The mode that the event says it is of."""
    return None if event.livemode is None else "live" if event.livemode else "test"


def _only(methods: tuple[str, ...] | None) -> str | None:
    """Which method was used is sure where only one was offered."""
    return methods[0] if methods and len(methods) == 1 else None


def _known(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(name for name in names if name)


_session_event = msgspec.json.Decoder(StripeEvent[CheckoutSession])
_intent_event = msgspec.json.Decoder(StripeEvent[PaymentIntent])
_charge_event = msgspec.json.Decoder(StripeEvent[StripeCharge])
_refund_event = msgspec.json.Decoder(StripeEvent[StripeRefund])

_PAYMENTS: dict[str, tuple[msgspec.json.Decoder[Any], Callable[[Any, str | None], ParsedPayment]]] = {
    "checkout.session.completed": (_session_event, _session(None)),
    "checkout.session.async_payment_succeeded": (_session_event, _session("completed")),
    "checkout.session.async_payment_failed": (_session_event, _session("failed")),
    "checkout.session.expired": (_session_event, _session("expired")),
    "payment_intent.created": (_intent_event, _intent("pending")),
    "payment_intent.requires_action": (_intent_event, _intent("pending")),
    "payment_intent.processing": (_intent_event, _intent("pending")),
    "payment_intent.succeeded": (_intent_event, _intent("completed")),
    "payment_intent.payment_failed": (_intent_event, _intent("failed")),
    "payment_intent.canceled": (_intent_event, _intent_canceled),
    "charge.succeeded": (_charge_event, _charge_succeeded),
    "charge.captured": (_charge_event, _charge_succeeded),
    "charge.failed": (_charge_event, _charge_failed),
    "charge.refunded": (_charge_event, _charge_refunded),
    "charge.updated": (_charge_event, _charge_updated),
}
_SESSION_STATUSES: dict[str, PaymentStatus] = {
    "paid": "completed",
    "no_payment_required": "completed",
    "unpaid": "pending",
}
_REFUNDS = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})
_REFUND_STATUSES: dict[str, RefundStatus] = {
    "pending": "pending",
    "requires_action": "pending",
    "succeeded": "completed",
    "failed": "rejected",
    "canceled": "rejected",
}
