"""The shop itself: it tells its orders and its people, signed like contract A. That is how a mail finds its reader."""

from collections.abc import Callable

import msgspec

from providers import body, generic, idempotency_key, kinds
from providers.contract import Provider, Received, Translation, Unreadable
from providers.fields import Decides, Instant, Locale, OrderId, Text, decode_hook
from providers.instants import instant
from providers.money import NOT_SAID, currency_code, minor_units_or_none
from providers.optional import ABSENT, Optionals
from stream.events import CustomerNotice, OrderNotice


class OrderBody(msgspec.Struct):
    orderId: OrderId
    customerEmail: msgspec.Raw = ABSENT
    customerId: msgspec.Raw = ABSENT
    customerName: msgspec.Raw = ABSENT
    sellerId: msgspec.Raw = ABSENT
    sellerEmail: msgspec.Raw = ABSENT
    locale: msgspec.Raw = ABSENT
    amount: msgspec.Raw = NOT_SAID
    currency: Decides[Text] = None
    link: msgspec.Raw = ABSENT
    updatedAt: Instant = NOT_SAID


class CustomerBody(msgspec.Struct):
    customerId: OrderId
    email: msgspec.Raw
    name: msgspec.Raw = ABSENT
    locale: msgspec.Raw = ABSENT
    updatedAt: Instant = NOT_SAID


_order = msgspec.json.Decoder(OrderBody)
_customer = msgspec.json.Decoder(CustomerBody)
_id = msgspec.json.Decoder(OrderId, dec_hook=decode_hook)
_locale = msgspec.json.Decoder(Locale)


def translate(received: Received, kind: str) -> Translation:
    """Read a verified order or customer."""
    translation = idempotency_key.named(_TRANSLATORS[kind](received), received)
    kinds.check(received.body, kind)
    return translation


def _translate_order(received: Received) -> Translation:
    told, optional = body.read(_order, received.body), Optionals()
    customer_id = optional.value(told.customerId, _id, "customerId")
    customer_email = optional.contact(told.customerEmail, "customerEmail")
    if customer_email is None and customer_id is None:
        raise Unreadable("an order needs customerEmail or customerId, or nobody could be told of it")
    currency = currency_code(told.currency)
    amount = _amount(told.amount, currency)
    updated_at = instant(told.updatedAt, "updatedAt")
    notice = OrderNotice(
        order_id=told.orderId,
        customer_id=customer_id,
        customer_email=customer_email,
        customer_name=optional.text(told.customerName, "customerName"),
        seller_id=optional.value(told.sellerId, _id, "sellerId"),
        seller_email=optional.contact(told.sellerEmail, "sellerEmail"),
        locale=optional.value(told.locale, _locale, "locale"),
        amount=amount,
        currency=None if amount is None else currency,
        link=optional.link(told.link, "link"),
        updated_at=updated_at,
    )
    return Translation(notice, "order", updated_at, notes=tuple(optional.notes))


def _translate_customer(received: Received) -> Translation:
    told, optional = body.read(_customer, received.body), Optionals()
    updated_at = instant(told.updatedAt, "updatedAt")
    notice = CustomerNotice(
        customer_id=told.customerId,
        email=optional.contact(told.email, "email") or "",
        name=optional.text(told.name, "name"),
        locale=optional.value(told.locale, _locale, "locale"),
        updated_at=updated_at,
    )
    return Translation(notice, "customer", updated_at, notes=tuple(optional.notes))


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
