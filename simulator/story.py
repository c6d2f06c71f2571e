"""The life of an order as its webhooks, and what must come of each: a row in a store, a mail. Pure."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from providers import carriers
from stream import ids

LOCALES = ("ko", "en")
NAMES = {
    "ko": ("김민지", "이서준", "박지우", "최하은", "정도윤"),
    "en": ("Emma Clarke", "Liam Murphy", "Olivia Reed", "Noah Bennett", "Ava Collins"),
}
REASONS = {"ko": "단순 변심", "en": "Changed my mind"}
CARRIERS = ("CJ대한통운", "우체국", "한진택배", "롯데택배", "로젠택배")
PLACES = ("서울 강남구 물류센터", "부산 해운대구", "대전 유성구 허브", "인천 남동구", "광주 북구")
TRACKING_NUMBERS = 10**12
"""Twelve digits, as CJ's have."""
BETWEEN = {"order": timedelta(), "payment": timedelta(minutes=1), "shipping": timedelta(days=2)}
LIFETIME = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Row:
    """What a service's store must hold: one row under this key, with this status."""

    service: str
    key: str
    status: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """A body for a path of the gateway. The shop's order is nobody's row and nobody's mail: it names the reader."""

    path: str
    body: bytes
    order_id: str
    row: Row | None = None
    notification_id: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """The `number`-th order of a run, fully delivered and given back at `now`."""

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
        """In won, like a price."""
        return 9_900 + self.number * 7_919 % 90 * 1_000

    @property
    def tracking_number(self) -> str:
        start = int.from_bytes(sha256(self.run.encode()).digest()[:8], "big")
        return f"{(start + self.number) % TRACKING_NUMBERS:012}"

    def at(self, kind: str) -> str:
        """When this part of its life was, as RFC 3339."""
        return (self.now - LIFETIME + BETWEEN.get(kind, LIFETIME)).isoformat(timespec="seconds")

    def one_of(self, choices: tuple[str, ...]) -> str:
        return choices[self.number % len(choices)]


def life(order: Order) -> tuple[Webhook, ...]:
    """Ordered, paid, delivered, given back."""
    return _ordered(order), _paid(order), _delivered(order), _refunded(order)


def _ordered(order: Order) -> Webhook:
    body = {
        "orderId": order.order_id,
        "customerEmail": order.email,
        "customerName": order.one_of(NAMES[order.locale]),
        "locale": order.locale,
        "amount": order.amount,
        "currency": "KRW",
        "link": f"https://shop.example.test/orders/{order.order_id}",
        "updatedAt": order.at("order"),
    }
    return Webhook("/webhooks/order", _json(body), order.order_id)


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
    return _told(order, body, row, ids.fact_id("PaymentCompleted", order.order_id))


def _delivered(order: Order) -> Webhook:
    carrier = order.one_of(CARRIERS)
    body = {
        "type": "shipping",
        "orderId": order.order_id,
        "trackingNumber": order.tracking_number,
        "carrier": carrier,
        "status": "delivered",
        "location": order.one_of(PLACES),
        "timestamp": order.at("shipping"),
    }
    row = Row("shipping", f"{carriers.normalise(carrier)}:{order.tracking_number}", "delivered")
    return _told(order, body, row, ids.fact_id("ShipmentDelivered", row.key))


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
    return _told(order, body, row, ids.fact_id("RefundCompleted", order.order_id, refund_id))


def _told(order: Order, body: dict[str, Any], row: Row, fact_id: str) -> Webhook:
    mail = ids.notification_id(fact_id, "customer", "email")
    return Webhook(f"/webhooks/{body['type']}", _json(body), order.order_id, row, mail)


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
