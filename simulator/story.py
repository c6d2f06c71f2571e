"""The webhooks of an order, with the row and the mail that each must produce. Pure."""

import json
from dataclasses import dataclass

from providers.parsing import carriers
from simulator.order import SimulatedOrder
from stream.events import ids

REASONS = {"ko": "단순 변심", "en": "Changed my mind"}
LOCATIONS = ("서울 강남구 물류센터", "부산 해운대구", "대전 유성구 허브", "인천 남동구", "광주 북구")


@dataclass(frozen=True, slots=True)
class Row:
    """A row that a service's store must have: exactly one with this key, with this status."""

    service: str
    key: str
    status: str


@dataclass(frozen=True, slots=True)
class SimulatedWebhook:
    """A body for a path of the gateway, with the rows and mails (notification ids) that it must produce.

    `passes` are rows whose status a later webhook changes. A webhook with neither `rows` nor `passes` brings contact
    data, as the shop's order does. `headers` are sent besides the signature. `api` is the `ProviderRecord`, as JSON,
    that the simulated API of the provider must know before the webhook is sent.
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
        """True if the webhook brings the address that mails of its order need."""
        return not self.rows and not self.passes


def life(order: SimulatedOrder) -> tuple[SimulatedWebhook, ...]:
    """Return four webhooks of contract A: ordered, paid, delivered, refunded."""
    return ordered(order), _paid(order), _parcel(order, "delivered"), _refunded(order)


def ordered(order: SimulatedOrder, **fields: object) -> SimulatedWebhook:
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
    return SimulatedWebhook("/webhooks/order", as_json(body | fields), order.order_id)


def customer(order: SimulatedOrder) -> SimulatedWebhook:
    """Return the shop's customer webhook. The customer id is the order's id."""
    body = {
        "customerId": order.order_id,
        "email": order.email,
        "name": order.name,
        "locale": order.locale,
        "updatedAt": order.at("order"),
    }
    return SimulatedWebhook("/webhooks/customer", as_json(body), order.order_id)


def packed(order: SimulatedOrder, carrier: str) -> SimulatedWebhook:
    """Return the shop's `preparing` webhook, which names the parcel's order, as carriers do not know orders.

    `carrier` is any name of the carrier whose webhooks follow. No mail is due.
    """
    return _parcel(order, "preparing", carrier)


def parcel(order: SimulatedOrder, carrier: str, status: str) -> Row:
    """Return the expected row of the order's parcel."""
    return Row("shipping", f"{carriers.normalise(carrier)}:{order.tracking_number}", status)


def paid(
    order: SimulatedOrder,
    path: str,
    body: bytes,
    *,
    headers: tuple[tuple[str, str], ...] = (),
    api: bytes | None = None,
) -> SimulatedWebhook:
    """Return a webhook by which the order is paid, with its row and the customer's mail."""
    row, paid_mail = Row("payment", order.order_id, "completed"), mail("PaymentCompleted", order.order_id)
    return SimulatedWebhook(path, body, order.order_id, (row,), (paid_mail,), headers=headers, api=api)


def mail(event_type: str, *key: str, audience: str = "customer") -> str:
    """Return the notification id of a mail about a domain event; `key` are the parts of the event's id."""
    return ids.notification_id(ids.domain_event_id(event_type, *key), audience, "email")


def as_json(body: object) -> bytes:
    """Return the body as compact JSON, as JavaScript writes it."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _paid(order: SimulatedOrder) -> SimulatedWebhook:
    body = {
        "type": "payment",
        "orderId": order.order_id,
        "status": "completed",
        "paymentMethod": "card",
        "transactionId": f"TXN-{order.now:%Y%m%d}-{order.number:05}",
        "amount": order.amount,
        "paidAt": order.at("payment"),
    }
    return paid(order, "/webhooks/payment", as_json(body))


def _parcel(order: SimulatedOrder, status: str, carrier: str | None = None) -> SimulatedWebhook:
    body = {
        "type": "shipping",
        "orderId": order.order_id,
        "trackingNumber": order.tracking_number,
        "carrier": carrier or order.carrier,
        "status": status,
        "location": order.pick(LOCATIONS),
        "timestamp": order.at("shipping" if status == "delivered" else "payment"),
    }
    row = parcel(order, carrier or order.carrier, status)
    if status != "delivered":
        return SimulatedWebhook("/webhooks/shipping", as_json(body), order.order_id, passes=(row,))
    return SimulatedWebhook(
        "/webhooks/shipping", as_json(body), order.order_id, (row,), (mail("ShipmentDelivered", row.key),)
    )


def _refunded(order: SimulatedOrder) -> SimulatedWebhook:
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
    return SimulatedWebhook("/webhooks/refund", as_json(body), order.order_id, (row,), mails)
