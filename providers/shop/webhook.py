"""The shop itself: it tells its orders and its people, signed like contract A. That is how a mail finds its reader."""

from collections.abc import Callable

import msgspec

from providers.contract import InvalidField, Provider, Received, Translation
from providers.generic import kinds
from providers.generic import webhook as generic
from providers.parsing import json_body
from providers.parsing.fields import ABSENT, Instant, Link, Locale, OrderId, StrictOptional, Text
from providers.parsing.money import currency_code, minor_units_or_none
from providers.parsing.notes import note
from providers.parsing.timestamps import instant
from providers.signing import idempotency_key
from stream.events import CustomerNotice, OrderNotice, email_address
from stream.events.json_text import NUL

MAX_UNUSABLE_CONTACT = 320
"""Characters of an unusable contact that a record holds; longer than any address, so the cut text is none."""


class OrderBody(msgspec.Struct):
    orderId: OrderId
    customerEmail: msgspec.Raw = ABSENT
    customerId: OrderId | None = None
    customerName: Text | None = None
    sellerId: OrderId | None = None
    sellerEmail: msgspec.Raw = ABSENT
    locale: Locale | None = None
    amount: msgspec.Raw = ABSENT
    currency: StrictOptional[Text] = None
    link: Link | None = None
    updatedAt: Instant = ABSENT


class CustomerBody(msgspec.Struct):
    customerId: OrderId
    email: msgspec.Raw
    name: Text | None = None
    locale: Locale | None = None
    updatedAt: Instant = ABSENT


_order = msgspec.json.Decoder(OrderBody)
_customer = msgspec.json.Decoder(CustomerBody)
_string = msgspec.json.Decoder(str)


def translate(received: Received, kind: str) -> Translation:
    """Read a verified order or customer."""
    translation = idempotency_key.with_event_id(_TRANSLATORS[kind](received), received)
    kinds.check(received.body, kind)
    return translation


def _translate_order(received: Received) -> Translation:
    told = json_body.read(_order, received.body)
    customer_email = _contact(told.customerEmail, "customerEmail", received.body)
    if customer_email is None and told.customerId is None:
        raise InvalidField("an order needs customerEmail or customerId, or nobody could be told of it")
    currency = currency_code(told.currency)
    amount = _amount(told.amount, currency)
    updated_at = instant(told.updatedAt, "updatedAt")
    notice = OrderNotice(
        order_id=told.orderId,
        customer_id=told.customerId,
        customer_email=customer_email,
        customer_name=_name(told.customerName),
        seller_id=told.sellerId,
        seller_email=_contact(told.sellerEmail, "sellerEmail", received.body),
        locale=told.locale,
        amount=amount,
        currency=None if amount is None else currency,
        link=told.link,
        updated_at=updated_at,
    )
    return Translation(notice, "order", updated_at)


def _translate_customer(received: Received) -> Translation:
    told = json_body.read(_customer, received.body)
    updated_at = instant(told.updatedAt, "updatedAt")
    notice = CustomerNotice(
        customer_id=told.customerId,
        email=_contact(told.email, "email", received.body) or "",
        name=_name(told.name),
        locale=told.locale,
        updated_at=updated_at,
    )
    return Translation(notice, "customer", updated_at)


def _name(name: str | None) -> str | None:
    return (name or "").strip() or None


def _contact(said: msgspec.Raw, field: str, payload: bytes) -> str | None:
    """Return an e-mail address in its one form (`stream.events.email_address`); None for an absent or empty one.

    An unusable one is returned as it was posted: the notifier judges again, mails nobody and lists the reason.
    Raises Unreadable for a control character.
    """
    text = "" if bytes(said) in (b"", b"null") else _as_text(said)
    if not text.strip(" "):
        return None
    if NUL not in payload:  # then `body` has written it, for half a surrogate pair
        text = text.replace("\0", email_address.LOST)
    if email_address.has_control_character(text):
        raise InvalidField(f"{field} holds a control character")
    try:
        return email_address.parse(text)
    except email_address.Unusable as why:
        note(field, f"is no address that can be mailed: {why}")
    text = text.strip()
    return text if len(text) <= MAX_UNUSABLE_CONTACT else f"{text[:MAX_UNUSABLE_CONTACT]}…"


def _as_text(said: msgspec.Raw) -> str:
    """A text as it is, anything else as its JSON."""
    return _string.decode(said) if bytes(said).startswith(b'"') else bytes(said).decode()


def _amount(said: msgspec.Raw, currency: str) -> int | None:
    """Return the amount in minor units; 0 is an amount, of a free order. Raises as `minor_units` does."""
    return None if bytes(said) in (b"", b"null", b'""') else minor_units_or_none(said, currency) or 0


_TRANSLATORS: dict[str, Callable[[Received], Translation]] = {
    "order": _translate_order,
    "customer": _translate_customer,
}

PROVIDER = Provider(
    name="shop",
    paths={"/webhooks/order": "order", "/webhooks/customer": "customer"},
    secret_setting="WEBHOOK_SECRET",  # noqa: S106 - the name of the setting
    verify=generic.verify,
    translate=translate,
    sign=generic.sign,
    kept_headers=frozenset({generic.SIGNATURE, idempotency_key.HEADER}),
    events="an order, a customer",
    proof=generic.PROVIDER.proof,
)
