"""The shop's own webhooks: orders and customers, signed as in contract A. They have the addresses for mails."""

from collections.abc import Callable

import msgspec

from providers.contract import InvalidField, Provider, Received, Translation
from providers.generic import kinds
from providers.generic import webhook as generic
from providers.parsing import json_body
from providers.parsing.fields import ABSENT, Id, Instant, Link, Locale, OrderId, StrictOptional, Text
from providers.parsing.money import currency_code, minor_units_or_none
from providers.parsing.notes import note
from providers.parsing.timestamps import instant
from providers.signing import idempotency_key
from stream.events import CustomerPayload, OrderPayload
from stream.events.text import email_address
from stream.events.text.json_text import NUL

MAX_UNUSABLE_CONTACT = 320
"""Maximum length of an unusable contact in a record. It exceeds any address, so a cut text is not an address."""


class OrderBody(msgspec.Struct):
    orderId: OrderId
    customerEmail: msgspec.Raw = ABSENT
    customerId: Id | None = None
    customerName: Text | None = None
    sellerId: Id | None = None
    sellerEmail: msgspec.Raw = ABSENT
    locale: Locale | None = None
    amount: msgspec.Raw = ABSENT
    currency: StrictOptional[Text] = None
    link: Link | None = None
    updatedAt: Instant = ABSENT


class CustomerBody(msgspec.Struct):
    customerId: Id
    email: msgspec.Raw
    name: Text | None = None
    locale: Locale | None = None
    updatedAt: Instant = ABSENT


_order = msgspec.json.Decoder(OrderBody)
_customer = msgspec.json.Decoder(CustomerBody)
_string = msgspec.json.Decoder(str)


def translate(received: Received, kind: str) -> Translation:
    """Translate an order or a customer, with the Idempotency-Key if the request has one.

    Raises WrongEvent for a body of another kind, Malformed or InvalidField for one that cannot be read, InvalidField
    also for an order with neither customerEmail nor customerId and for an unusable Idempotency-Key.
    """
    translation = idempotency_key.with_provider_event_id(_TRANSLATORS[kind](received), received)
    kinds.check(received.body, kind)
    return translation


def _translate_order(received: Received) -> Translation:
    body = json_body.read(_order, received.body)
    customer_email = _contact(body.customerEmail, "customerEmail", received.body)
    if customer_email is None and body.customerId is None:
        raise InvalidField("an order needs customerEmail or customerId, so that its customer can get mails")
    currency = currency_code(body.currency)
    amount = _amount(body.amount, currency)
    updated_at = instant(body.updatedAt, "updatedAt")
    payload = OrderPayload(
        order_id=body.orderId,
        customer_id=body.customerId,
        customer_email=customer_email,
        customer_name=_name(body.customerName),
        seller_id=body.sellerId,
        seller_email=_contact(body.sellerEmail, "sellerEmail", received.body),
        locale=body.locale,
        amount=amount,
        currency=None if amount is None else currency,
        link=body.link,
        updated_at=updated_at,
    )
    return Translation(payload, "order", updated_at)


def _translate_customer(received: Received) -> Translation:
    body = json_body.read(_customer, received.body)
    updated_at = instant(body.updatedAt, "updatedAt")
    payload = CustomerPayload(
        customer_id=body.customerId,
        email=_contact(body.email, "email", received.body) or "",
        name=_name(body.name),
        locale=body.locale,
        updated_at=updated_at,
    )
    return Translation(payload, "customer", updated_at)


def _name(name: str | None) -> str | None:
    return (name or "").strip() or None


def _contact(raw: msgspec.Raw, field: str, payload: bytes) -> str | None:
    """Return an e-mail address in canonical form (`stream.events.text.email_address`); None for an absent or empty one.

    An unusable address is returned as posted: the notifier checks it again, sends no mail and lists the reason.
    Raises InvalidField for a control character.
    """
    text = "" if bytes(raw) in (b"", b"null") else _as_text(raw)
    if not text.strip(" "):
        return None
    if NUL not in payload:  # then `json_body` put the NUL in place of half a surrogate pair
        text = text.replace("\0", email_address.LOST)
    if email_address.has_control_character(text):
        raise InvalidField(f"{field} holds a control character")
    try:
        return email_address.parse(text)
    except email_address.Unusable as why:
        note(field, f"is no address that can be mailed: {why}")
    text = text.strip()
    return text if len(text) <= MAX_UNUSABLE_CONTACT else f"{text[:MAX_UNUSABLE_CONTACT]}…"


def _as_text(raw: msgspec.Raw) -> str:
    """Return a string's text, and any other value as JSON."""
    return _string.decode(raw) if bytes(raw).startswith(b'"') else bytes(raw).decode()


def _amount(raw: msgspec.Raw, currency: str) -> int | None:
    """Return the amount in minor units, 0 for a free order, None for an absent one.

    Raises as `minor_units_or_none` does.
    """
    return None if bytes(raw) in (b"", b"null", b'""') else minor_units_or_none(raw, currency) or 0


_TRANSLATORS: dict[str, Callable[[Received], Translation]] = {
    "order": _translate_order,
    "customer": _translate_customer,
}

PROVIDER = Provider(
    name="shop",
    paths={"/webhooks/order": "order", "/webhooks/customer": "customer"},
    secret_setting="WEBHOOK_SECRET",
    verify=generic.verify,
    translate=translate,
    stored_headers=frozenset({generic.SIGNATURE, idempotency_key.HEADER}),
    events="an order, a customer",
    authentication=generic.PROVIDER.authentication,
)
