"""Contract A: generic payments, parcels and refunds. A test a row of the contract."""

import json
from typing import Any

import pytest

from tests.actors import Inbox, Shop, Store, new_order

PAYMENT = {"type": "payment", "paymentMethod": "card", "transactionId": "TXN-20231115-12345", "amount": 58000}
SHIPPING = {"type": "shipping", "carrier": "CJ대한통운", "location": "서울 강남구 물류센터"}
AT = "2023-11-15T10:30:00Z"


@pytest.mark.parametrize(
    ("published", "stored"),
    [("completed", "completed"), ("failed", "failed"), ("cancelled", "cancelled"), ("pending", "pending")],
)
def test_a_payment_of_every_status_is_stored_with_its_method_transaction_amount_and_time(
    published: str, stored: str, shop: Shop, payments: Store
) -> None:
    order = new_order()

    reply = shop.post("payment", {**PAYMENT, "orderId": order, "status": published, "paidAt": AT})

    assert (reply.status, reply.body) == (200, {"status": "success"})
    query = (
        "SELECT status, method, transaction_id, amount, currency, paid_at::text AS paid_at FROM payments"
        " WHERE order_id = %s"
    )
    assert payments.wait_for(query, order) == [
        {
            "status": stored,
            "method": "card",
            "transaction_id": "TXN-20231115-12345",
            "amount": 58000,
            "currency": "KRW",
            "paid_at": "2023-11-15 10:30:00+00",
        }
    ]


@pytest.mark.parametrize("status", ["preparing", "in_transit", "out_for_delivery", "delivered", "failed"])
def test_a_parcel_of_every_status_is_stored_with_its_carrier_number_and_place(
    status: str, shop: Shop, shipments: Store
) -> None:
    order = new_order()

    reply = shop.post("shipping", {**SHIPPING, "orderId": order, "trackingNumber": order, "status": status})

    assert (reply.status, reply.body) == (200, {"status": "success"})
    query = "SELECT status, carrier, tracking_number, last_location FROM shipments WHERE order_id = %s"
    assert shipments.wait_for(query, order) == [
        {
            "status": status,
            "carrier": "CJ대한통운",
            "tracking_number": order,
            "last_location": "서울 강남구 물류센터",
        }
    ]


@pytest.mark.parametrize("status", ["pending", "processing", "completed", "rejected"])
def test_a_refund_of_every_status_is_stored_with_its_amount_and_reason(status: str, shop: Shop, refunds: Store) -> None:
    order = new_order()
    refund = {"orderId": order, "refundId": "R-1", "amount": 58000, "reason": "단순 변심", "processedAt": AT}

    reply = shop.post("refund", {"type": "refund", "status": status, **refund})

    assert (reply.status, reply.body) == (200, {"status": "success"})
    query = "SELECT refund_id, status, amount, reason, processed_at::text AS at FROM refunds WHERE order_id = %s"
    assert refunds.wait_for(query, order) == [
        {
            "refund_id": "R-1",
            "status": status,
            "amount": 58000,
            "reason": "단순 변심",
            "at": "2023-11-15 10:30:00+00",
        }
    ]


def test_the_postman_example_names_only_order_and_status(shop: Shop, payments: Store) -> None:
    order = new_order()

    assert shop.post("payment", {"orderId": order, "status": "completed"}).status == 200
    assert payments.wait_for("SELECT status FROM payments WHERE order_id = %s", order) == [{"status": "completed"}]


def test_a_number_and_its_text_are_the_same_order(shop: Shop, payments: Store) -> None:
    number = int(new_order().removeprefix("T-")[:12], 16)

    shop.post("payment", {"orderId": number, "status": "pending"})
    shop.post("payment", {"orderId": str(number), "status": "completed"})

    query = "SELECT status, version FROM payments WHERE order_id = %s AND version = 2"
    assert payments.wait_for(query, str(number)) == [{"status": "completed", "version": 2}]


@pytest.mark.parametrize(
    "body",
    [
        {"status": "completed"},
        {"orderId": 1},
        {"orderId": 1, "status": "unheard of"},
        {"type": "refund", "orderId": 1, "status": "completed"},
    ],
)
def test_what_is_malformed_is_answered_400(body: dict[str, Any], shop: Shop) -> None:
    assert shop.post("payment", body).status == 400


def test_a_refund_without_its_id_is_answered_400(shop: Shop) -> None:
    assert shop.post("refund", {"orderId": 1, "status": "completed"}).status == 400


def test_a_failed_signature_is_answered_401(shop: Shop) -> None:
    reply = shop.post("payment", {"orderId": 1, "status": "completed"}, X_Webhook_Signature="0" * 64)

    assert (reply.status, reply.body["error"]) == (401, "invalid_signature")


def test_an_indented_body_may_be_signed_in_its_compact_form(shop: Shop, payments: Store) -> None:
    order = new_order()
    body = {"orderId": order, "status": "completed"}
    compact = json.dumps(body, separators=(",", ":")).encode()

    reply = shop.post_bytes(
        "/webhooks/payment", json.dumps(body, indent=2).encode(), X_Webhook_Signature=shop.sign(compact)
    )

    assert reply.status == 200
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s", order)


def test_a_customer_mail_follows_each_status_that_concerns_the_customer(shop: Shop, inbox: Inbox) -> None:
    order = new_order()
    customer = f"{order.lower()}@example.test"
    shop.post("order", {"orderId": order, "customerEmail": customer, "locale": "en"})

    shop.post("payment", {**PAYMENT, "orderId": order, "status": "completed"})
    shop.post("shipping", {**SHIPPING, "orderId": order, "trackingNumber": order, "status": "delivered"})
    shop.post("refund", {"orderId": order, "refundId": "R-1", "status": "rejected", "reason": "too late"})

    assert len(inbox.wait_for(customer, count=3)) == 3
