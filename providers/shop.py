"""The shop itself: it tells its orders and its people, signed like contract A. That is how a mail finds its reader."""

from collections.abc import Callable

import msgspec

from providers import body, generic, idempotency_key
from providers.contract import Provider, Received, Translation, Unreadable
from providers.fields import Email, Id, Instant, Link, Locale, OrderId, Text, micros
from providers.money import NOT_SAID, exponent, minor_units
from stream.events import CustomerNotice, OrderNotice


class OrderBody(msgspec.Struct):
    orderId: OrderId
    customerEmail: Email | None = None
    customerId: OrderId | None = None
    customerName: Text | None = None
    sellerId: OrderId | None = None
    sellerEmail: Email | None = None
    locale: Locale | None = None
    amount: msgspec.Raw = NOT_SAID
    currency: Id | None = None
    link: Link | None = None
    updatedAt: Instant | None = None


class CustomerBody(msgspec.Struct):
    customerId: OrderId
    email: Email
    name: Text | None = None
    locale: Locale | None = None
    updatedAt: Instant | None = None


_order = msgspec.json.Decoder(OrderBody)
_customer = msgspec.json.Decoder(CustomerBody)


def translate(received: Received, kind: str) -> Translation:
    """Read a verified order or customer."""
    return _TRANSLATORS[kind](received)


def _translate_order(received: Received) -> Translation:
    told = body.read(_order, received.body)
    if told.customerEmail is None and told.customerId is None:
        raise Unreadable("an order needs customerEmail or customerId, or nobody could be told of it")
    currency = told.currency or "KRW"
    exponent(currency)
    amount = minor_units(told.amount, currency)
    updated_at = micros(told.updatedAt, "updatedAt")
    notice = OrderNotice(
        order_id=str(told.orderId),
        customer_id=_text(told.customerId),
        customer_email=told.customerEmail,
        customer_name=told.customerName,
        seller_id=_text(told.sellerId),
        seller_email=told.sellerEmail,
        locale=told.locale,
        amount=amount,
        currency=None if amount is None else currency,
        link=told.link,
        updated_at=updated_at,
    )
    return Translation(notice, "order", updated_at, idempotency_key.given(received))


def _translate_customer(received: Received) -> Translation:
    told = body.read(_customer, received.body)
    updated_at = micros(told.updatedAt, "updatedAt")
    notice = CustomerNotice(
        customer_id=str(told.customerId),
        email=told.email,
        name=told.name,
        locale=told.locale,
        updated_at=updated_at,
    )
    return Translation(notice, "customer", updated_at, idempotency_key.given(received))


def _text(value: int | str | None) -> str | None:
    return None if value is None else str(value)


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
