"""The webhooks of an order, with the row and the mail that each must produce. Pure."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from providers.parsing import carriers
from stream.events import ids

LOCALES = ("ko", "en")
NAMES = {
    "ko": ("김민지", "이서준", "박지우", "최하은", "정도윤"),
    "en": ("Emma Clarke", "Liam Murphy", "Olivia Reed", "Noah Bennett", "Ava Collins"),
}
REASONS = {"ko": "단순 변심", "en": "Changed my mind"}
CARRIERS = ("CJ대한통운", "우체국", "한진택배", "롯데택배", "로젠택배")
PLACES = ("서울 강남구 물류센터", "부산 해운대구", "대전 유성구 허브", "인천 남동구", "광주 북구")
TRACKING_NUMBERS = 10**12
"""Tracking numbers have twelve digits, like CJ's."""
AFTER_ORDER = {"order": timedelta(), "payment": timedelta(minutes=1), "shipping": timedelta(days=2)}
LIFETIME = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Row:
    """A row that a service's store must have: exactly one with this key, with this status."""

    service: str
    key: str
    status: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """A body for a path of the gateway, with the rows and mails (notification ids) that it must produce.

    `passes` are rows whose status a later webhook changes. A webhook without any row brings contact data, as the
    shop's order does. `headers` are sent besides the signature. `api` is the `ProviderRecord`, as JSON, that the
    simulated API of the provider must know before the webhook is sent.
    """

    path: str
    body: bytes
    order_id: str
    rows: tuple[Row, ...] = ()
    mails: tuple[str, ...] = ()
    passes: tuple[Row, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    api: bytes | None = None

    @property
    def has_contact(self) -> bool:
        """Return whether the webhook brings the address that mails of its order need."""
        return not self.rows and not self.passes


@dataclass(frozen=True, slots=True)
class Order:
    """The `number`-th order of a run. At `now` it has been delivered and refunded."""

    run: str
    number: int
    locale: str
    now: datetime

    @property
    def order_id(self) -> str:
        return f"SIM-{self.run}-{self.number}"

    @property
    def email(self) -> str:
        return f"{self.order_id.lower()}@example.test"

    @property
    def amount(self) -> int:
        """Return an amount in KRW that looks like a price."""
        return 9_900 + self.number * 7_919 % 90 * 1_000

    @property
    def tracking_number(self) -> str:
        start = int.from_bytes(sha256(self.run.encode()).digest()[:8], "big")
        return f"{(start + self.number) % TRACKING_NUMBERS:012}"

    @property
    def carrier(self) -> str:
        return self.pick(CARRIERS)

    @property
    def name(self) -> str:
        """Return the customer's name."""
        return self.pick(NAMES[self.locale])

    def moment(self, kind: str) -> datetime:
        """Return the time of a step: `order`, `payment`, `shipping`, or any other name for the last one."""
        return self.now - LIFETIME + AFTER_ORDER.get(kind, LIFETIME)

    def at(self, kind: str) -> str:
        """Return the time of a step as RFC 3339."""
        return self.moment(kind).isoformat(timespec="seconds")

    def pick(self, choices: tuple[str, ...]) -> str:
        """Return a choice that depends on the order's number only."""
        return choices[self.number % len(choices)]


def life(order: Order) -> tuple[Webhook, ...]:
    """Return four webhooks of contract A: ordered, paid, delivered, refunded."""
    return ordered(order), _paid(order), _parcel(order, "delivered"), _refunded(order)


def ordered(order: Order, **fields: object) -> Webhook:
    """Return the shop's order webhook; `fields` replace or extend its body."""
    body = {
        "orderId": order.order_id,
        "customerEmail": order.email,
        "customerName": order.name,
        "locale": order.locale,
        "amount": order.amount,
        "currency": "KRW",
        "link": f"https://shop.example.test/orders/{order.order_id}",
        "updatedAt": order.at("order"),
    }
    return Webhook("/webhooks/order", as_json(body | fields), order.order_id)


def customer(order: Order) -> Webhook:
    """Return the shop's customer webhook. The customer id is the order's id."""
    body = {
        "customerId": order.order_id,
        "email": order.email,
        "name": order.name,
        "locale": order.locale,
        "updatedAt": order.at("order"),
    }
    return Webhook("/webhooks/customer", as_json(body), order.order_id)


def packed(order: Order, carrier: str) -> Webhook:
    """Return the shop's webhook with the order's parcel. Carriers do not know orders."""
    return _parcel(order, "preparing", carrier)


def parcel(order: Order, carrier: str, status: str) -> Row:
    """Return the expected row of the order's parcel."""
    return Row("shipping", f"{carriers.normalise(carrier)}:{order.tracking_number}", status)


def mail(event_type: str, *key: str, audience: str = "customer") -> str:
    """Return the notification id of a mail about a domain event."""
    return ids.notification_id(ids.domain_event_id(event_type, *key), audience, "email")


def as_json(body: object) -> bytes:
    """Return the body as compact JSON, as JavaScript writes it."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _paid(order: Order) -> Webhook:
    body = {
        "type": "payment",
        "orderId": order.order_id,
        "status": "completed",
        "paymentMethod": "card",
        "transactionId": f"TXN-{order.now:%Y%m%d}-{order.number:05}",
        "amount": order.amount,
        "paidAt": order.at("payment"),
    }
    row = Row("payment", order.order_id, "completed")
    return Webhook(
        "/webhooks/payment", as_json(body), order.order_id, (row,), (mail("PaymentCompleted", order.order_id),)
    )


def _parcel(order: Order, status: str, carrier: str | None = None) -> Webhook:
    body = {
        "type": "shipping",
        "orderId": order.order_id,
        "trackingNumber": order.tracking_number,
        "carrier": carrier or order.carrier,
        "status": status,
        "location": order.pick(PLACES),
        "timestamp": order.at("shipping" if status == "delivered" else "payment"),
    }
    row = parcel(order, carrier or order.carrier, status)
    if status != "delivered":
        return Webhook("/webhooks/shipping", as_json(body), order.order_id, passes=(row,))
    return Webhook("/webhooks/shipping", as_json(body), order.order_id, (row,), (mail("ShipmentDelivered", row.key),))


def _refunded(order: Order) -> Webhook:
    refund_id = f"REFUND-{order.run}-{order.number}"
    body = {
        "type": "refund",
        "orderId": order.order_id,
        "refundId": refund_id,
        "amount": order.amount,
        "reason": REASONS[order.locale],
        "status": "completed",
        "processedAt": order.at("refund"),
    }
    row = Row("refund", order.order_id, "completed")
    mails = (mail("RefundCompleted", order.order_id, refund_id),)
    return Webhook("/webhooks/refund", as_json(body), order.order_id, (row,), mails)
