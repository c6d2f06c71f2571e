"""Translates Stripe's events of payments.

A session, its intent and its charge belong to one transaction, whose id is that of the intent.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from providers.contract import Translation, Unsupported
from providers.parsing import json_body
from providers.parsing.fields import present
from providers.stripe import charges
from providers.stripe.amounts import money
from providers.stripe.events import event_mode, event_time, order_id
from providers.stripe.intents import intent_parser, parse_canceled, session_parser
from providers.stripe.objects import CheckoutSession, PaymentIntent, StripeCharge, StripeEvent
from providers.stripe.parsed_payment import ParsedPayment
from stream.events import PaymentPayload

T = TypeVar("T")
_session_event = msgspec.json.Decoder(StripeEvent[CheckoutSession])
_intent_event = msgspec.json.Decoder(StripeEvent[PaymentIntent])
_charge_event = msgspec.json.Decoder(StripeEvent[StripeCharge])


def read(raw: bytes, event_type: str) -> Translation:
    """Translate an event of a payment. `json_body.read` must have checked the body.

    Raises Unsupported for any other type, InvalidField for a field that cannot be used.
    """
    if event_type not in _READERS:
        raise Unsupported(f"{event_type[:64]} is not supported")
    return _READERS[event_type](raw)


def _reader(
    decoder: msgspec.json.Decoder[StripeEvent[T]], parse: Callable[[T, str | None], ParsedPayment]
) -> Callable[[bytes], Translation]:
    """Return the function that translates an event of this type, as `read` does."""

    def translated(raw: bytes) -> Translation:
        event = json_body.read_again(decoder, raw)
        return _payment(event, parse(event.data.object, event.api_version))

    return translated


def _payment(event: StripeEvent[T], payment: ParsedPayment) -> Translation:
    at, order, ids = event_time(event), order_id(payment.source), present(payment.ids)
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


_READERS: dict[str, Callable[[bytes], Translation]] = {
    "checkout.session.completed": _reader(_session_event, session_parser(None)),
    "checkout.session.async_payment_succeeded": _reader(_session_event, session_parser("completed")),
    "checkout.session.async_payment_failed": _reader(_session_event, session_parser("failed")),
    "checkout.session.expired": _reader(_session_event, session_parser("expired")),
    "payment_intent.created": _reader(_intent_event, intent_parser("pending")),
    "payment_intent.requires_action": _reader(_intent_event, intent_parser("pending")),
    "payment_intent.processing": _reader(_intent_event, intent_parser("pending")),
    "payment_intent.succeeded": _reader(_intent_event, intent_parser("completed")),
    "payment_intent.payment_failed": _reader(_intent_event, intent_parser("failed")),
    "payment_intent.canceled": _reader(_intent_event, parse_canceled),
    "charge.succeeded": _reader(_charge_event, charges.parse_succeeded),
    "charge.captured": _reader(_charge_event, charges.parse_succeeded),
    "charge.failed": _reader(_charge_event, charges.parse_failed),
    "charge.refunded": _reader(_charge_event, charges.parse_refunded),
    "charge.updated": _reader(_charge_event, charges.parse_updated),
}
