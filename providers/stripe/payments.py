"""Translates Stripe's events of payments and refunds.

A session, its intent and its charge belong to one transaction, whose id is that of the intent.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

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
from stream.events import Mode, PaymentPayload, PaymentStatus, RefundPayload, RefundStatus

T = TypeVar("T")

# Decimals of Stripe's amounts where they are not two (docs.stripe.com/currencies). ISK and UGX have no minor unit in
# ISO 4217, but Stripe counts them in hundredths; MGA has two digits there, but Stripe counts it in whole units.
_DIGITS = {
    **dict.fromkeys("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD JOD KWD OMR TND".split(), 3),
}
_IN_HUNDREDTHS = frozenset(("ISK", "UGX"))

_SCALES = (1, 10, 100, 1000, 10_000)

_NO_RELEASES = "2025-03-31"
"""The first API version in which releasing an amount that was not captured is neither a refund nor in any sum
(docs.stripe.com/changelog/basil/2025-03-31/remove-refund-from-partial-capture-and-payment-cancellation-flow).
"""


class ParsedPayment(NamedTuple):
    """The content of a payment event. The transaction's id is the first of `ids`; amounts are in Stripe's units."""

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
    """The failed charge: each attempt to pay an intent has its own."""
    released: int | None = None
    """The part of the authorization that was not captured, where Stripe counts its release as a refund."""


def read(raw: bytes, event_type: str) -> Translation:
    """Translate an event of a payment or refund. `json_body.read` must have checked the body.

    Raises Unsupported for any other type, InvalidField for a field that cannot be used.
    """
    if event_type in _PAYMENTS:
        return _PAYMENTS[event_type](raw)
    if event_type in _REFUNDS:
        return _refund(json_body.read_again(_refund_event, raw))
    raise Unsupported(f"{event_type[:64]} is not supported")


def iso_units(units: int, currency: str) -> int:
    """Convert an amount of Stripe's to minor units by ISO 4217.

    Raises InvalidField if it is not a whole number of them, or if Stripe's unit of the currency is not known.
    """
    digits = exponent(currency)
    if digits != 2 and currency not in _DIGITS and currency not in _IN_HUNDREDTHS:  # noqa: PLR2004 - hundredths
        raise InvalidField(f"it is not known in which unit Stripe counts {currency}")
    whole, rest = divmod(units * _SCALES[digits], _SCALES[_DIGITS.get(currency, 2)])
    if rest:
        raise InvalidField(f"an amount is finer than {currency}, which has {digits} decimals")
    return whole


def _reader(
    decoder: msgspec.json.Decoder[StripeEvent[T]], parse: Callable[[T, str | None], ParsedPayment]
) -> Callable[[bytes], Translation]:
    """Return the function that translates an event of this type, as `read` does."""

    def translated(raw: bytes) -> Translation:
        event = json_body.read_again(decoder, raw)
        return _payment(event, parse(event.data.object, event.api_version))

    return translated


def _payment(event: StripeEvent[T], payment: ParsedPayment) -> Translation:
    at, order, ids = event_time(event), order_id(payment.source), _present(payment.ids)
    amount, currency = money(payment.units, payment.source.currency)
    refunded, _ = money(payment.refunded, payment.source.currency)
    released, _ = money(payment.released, payment.source.currency)
    payload = PaymentPayload(
        order_id=order,
        alias=None if order else ids[0],
        status=payment.status,
        method=payment.method,
        transaction_id=ids[0],
        pg_transaction_id=payment.attempt,
        amount=amount,
        currency=currency,
        failure_reason=payment.failure_reason,
        paid_at=at if payment.status == "completed" and payment.is_paid_now else None,
        refunded_amount=refunded,
        released_amount=released,
        aliases=tuple(sorted(set(ids))),
    )
    return Translation(payload, event.type, at, event.id, event_mode(event))


def _refund(event: StripeEvent[StripeRefund]) -> Translation:
    refund = event.data.object
    if refund.status == "succeeded" and refund.balance_transaction is None:
        raise Unsupported("it releases an amount that was not captured: no money is given back")
    at, order, ids = event_time(event), order_id(refund), _present((refund.payment_intent, refund.charge))
    if not order and not ids:
        raise InvalidField("a refund must name its payment_intent, its charge, or an order in its metadata")
    amount, currency = money(whole_units(refund.amount), refund.currency)
    status = _REFUND_STATUSES.get(refund.status or "pending")
    if status is None:
        raise Unsupported(f"the refund status {refund.status} is not known")
    payload = RefundPayload(
        order_id=order,
        alias=None if order else ids[0],
        refund_id=refund.id,
        status=status,
        amount=amount,
        currency=currency,
        reason=(refund.failure_reason if status == "rejected" else None) or refund.reason,
        refunded_at=at if status == "completed" else None,
        aliases=tuple(sorted(set(ids))),
        reported_by_payment=True,
    )
    return Translation(payload, event.type, at, event.id, event_mode(event))


def _session(status: PaymentStatus | None) -> Callable[[CheckoutSession, str | None], ParsedPayment]:
    """Return a parser for a session. `status` None: the session has it, since it may be completed but unpaid."""

    def parse(session: CheckoutSession, _: str | None) -> ParsedPayment:
        if session.mode == "setup":
            raise Unsupported("a session that stores a card for later pays nothing")
        actual = status or _SESSION_STATUSES.get(session.payment_status)
        if actual is None:
            raise Unsupported(f"it is not known whether the payment_status {session.payment_status} means paid")
        ids = (session.payment_intent, session.id)
        return ParsedPayment(
            actual, session, ids, whole_units(session.amount_total, "amount_total"), _only(session.payment_method_types)
        )

    return parse


def _intent(status: PaymentStatus) -> Callable[[PaymentIntent, str | None], ParsedPayment]:
    def parse(intent: PaymentIntent, version: str | None) -> ParsedPayment:
        received = whole_units(intent.amount_received, "amount_received") if status == "completed" else None
        amount = whole_units(intent.amount)
        problem = intent.last_payment_error.message if status == "failed" and intent.last_payment_error else None
        charges = intent.charges.data if intent.charges else ()
        last = intent.latest_charge or next((charge.id for charge in charges), None)
        ids = (intent.id, intent.latest_charge, *(charge.id for charge in charges))
        parsed = ParsedPayment(status, intent, ids, received or amount, _only(intent.payment_method_types), problem)
        if status == "failed":
            return parsed._replace(attempt=last)
        return parsed._replace(released=_released(amount, received)) if _refunds_releases(version) else parsed

    return parse


def _intent_canceled(intent: PaymentIntent, version: str | None) -> ParsedPayment:
    """Parse a canceled intent. It was never paid, so nothing is given back."""
    return _intent("cancelled")(intent, version)._replace(refunded=0)


def _charge_succeeded(charge: StripeCharge, version: str | None) -> ParsedPayment:
    """Parse a charge that succeeded. While it is not captured, the payment is pending."""
    amount, captured = whole_units(charge.amount), _captured(charge)
    if charge.captured is False:
        return _charge("pending", charge, amount)
    paid = _charge("completed", charge, captured)
    return paid._replace(released=_released(amount, captured)) if _refunds_releases(version) else paid


def _charge_failed(charge: StripeCharge, _: str | None) -> ParsedPayment:
    failed = _charge("failed", charge, whole_units(charge.amount))
    return failed._replace(failure_reason=charge.failure_message, attempt=charge.id)


def _charge_refunded(charge: StripeCharge, version: str | None) -> ParsedPayment:
    """Parse a refunded charge. `amount_refunded` is the total so far; `refunded` is true for a full refund.

    Raises InvalidField without `amount_refunded`.
    """
    if (refunded := whole_units(charge.amount_refunded, "amount_refunded")) is None:
        raise InvalidField("amount_refunded is missing")
    if charge.captured is False:  # only an authorization is released; no money had moved
        return _charge("cancelled" if charge.refunded else "pending", charge, whole_units(charge.amount))._replace(
            refunded=0
        )
    captured = _captured(charge)
    released = _released(whole_units(charge.amount), captured) or 0
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
    return _refunds_releases(version) and not (charge.refunded and refunded == captured)


def _refunds_releases(version: str | None) -> bool:
    """Return whether this API version, such as 2025-03-31.basil, counts the release of the rest as a refund."""
    return (version or "") < _NO_RELEASES


def _charge_updated(charge: StripeCharge, version: str | None) -> ParsedPayment:
    """Parse an updated charge: after a failed refund, the total given back is lower than before.

    Raises Unsupported for a charge without captured money or refunded amount.
    """
    if charge.status != "succeeded" or not charge.captured or whole_units(charge.amount_refunded) is None:
        raise Unsupported("it reports no change of money")
    return _charge_refunded(charge, version)


def _captured(charge: StripeCharge) -> int | None:
    return whole_units(charge.amount_captured, "amount_captured") or whole_units(charge.amount)


def _released(authorized: int | None, captured: int | None) -> int | None:
    """Return the part of an authorization that was not captured, or None if all was."""
    return authorized - captured if authorized and captured and authorized > captured else None


def _charge(status: PaymentStatus, charge: StripeCharge, units: int | None) -> ParsedPayment:
    method = charge.payment_method_details.type if charge.payment_method_details else None
    return ParsedPayment(status, charge, (charge.payment_intent, charge.id), units, method)


def order_id(source: StripeObject) -> str | None:
    """Return the shop's order id, from the metadata or else from `client_reference_id`."""
    metadata = source.metadata or Metadata()
    return metadata.order_id or metadata.orderId or source.client_reference_id


def money(units: int | None, currency: str | None) -> tuple[int | None, str]:
    """Convert an amount of Stripe's to minor units by ISO 4217; return it with its currency.

    Raises InvalidField for an amount without currency, and as `iso_units` does.
    """
    if units is None:
        return None, DEFAULT_CURRENCY  # the default of a payload without an amount
    if not currency:
        raise InvalidField("currency is missing")
    code = currency_code(currency)
    return iso_units(units, code), code


def event_time(event: StripeEvent[T]) -> int | None:
    """Return the time of the event in microseconds since 1970 UTC."""
    return instant(event.created, "created")


def event_mode(event: StripeEvent[T]) -> Mode | None:
    """Return the mode of the event, or None if it has no `livemode`."""
    return None if event.livemode is None else "live" if event.livemode else "test"


def _only(methods: tuple[str, ...] | None) -> str | None:
    """Return the method if only one was offered; otherwise it is not certain which was used."""
    return methods[0] if methods and len(methods) == 1 else None


def _present(ids: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(item for item in ids if item)


_session_event = msgspec.json.Decoder(StripeEvent[CheckoutSession])
_intent_event = msgspec.json.Decoder(StripeEvent[PaymentIntent])
_charge_event = msgspec.json.Decoder(StripeEvent[StripeCharge])
_refund_event = msgspec.json.Decoder(StripeEvent[StripeRefund])

_PAYMENTS: dict[str, Callable[[bytes], Translation]] = {
    "checkout.session.completed": _reader(_session_event, _session(None)),
    "checkout.session.async_payment_succeeded": _reader(_session_event, _session("completed")),
    "checkout.session.async_payment_failed": _reader(_session_event, _session("failed")),
    "checkout.session.expired": _reader(_session_event, _session("expired")),
    "payment_intent.created": _reader(_intent_event, _intent("pending")),
    "payment_intent.requires_action": _reader(_intent_event, _intent("pending")),
    "payment_intent.processing": _reader(_intent_event, _intent("pending")),
    "payment_intent.succeeded": _reader(_intent_event, _intent("completed")),
    "payment_intent.payment_failed": _reader(_intent_event, _intent("failed")),
    "payment_intent.canceled": _reader(_intent_event, _intent_canceled),
    "charge.succeeded": _reader(_charge_event, _charge_succeeded),
    "charge.captured": _reader(_charge_event, _charge_succeeded),
    "charge.failed": _reader(_charge_event, _charge_failed),
    "charge.refunded": _reader(_charge_event, _charge_refunded),
    "charge.updated": _reader(_charge_event, _charge_updated),
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
