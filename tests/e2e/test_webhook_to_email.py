"""Start here if you want the story: what a shop's customer hears of an order's life."""

from tests.actors import Inbox, Shop, Store, new_order


def test_the_life_of_an_order_reaches_its_customer_in_korean(
    shop: Shop, inbox: Inbox, payments: Store, shipments: Store, refunds: Store
) -> None:
    order = new_order()
    customer = f"{order.lower()}@example.test"

    shop.post("order", {"orderId": order, "customerEmail": customer, "customerName": "김민지", "amount": 58000})
    paid = shop.post("payment", {"orderId": order, "status": "completed", "amount": 58000, "paymentMethod": "card"})
    shop.post("shipping", {"orderId": order, "status": "delivered", "carrier": "CJ대한통운"})
    shop.post("refund", {"orderId": order, "refundId": "R-1", "status": "completed", "amount": 58000})

    assert (paid.status, paid.body) == (200, {"status": "success"})
    assert payments.wait_for("SELECT status, amount FROM payments WHERE order_id = %s", order) == [
        {"status": "completed", "amount": 58000}
    ]
    assert shipments.wait_for("SELECT status, carrier FROM shipments WHERE order_id = %s", order) == [
        {"status": "delivered", "carrier": "CJ대한통운"}
    ]
    assert refunds.wait_for("SELECT refund_status, refunded_amount FROM orders WHERE order_id = %s", order) == [
        {"refund_status": "completed", "refunded_amount": 58000}
    ]
    mails = inbox.wait_for(customer, count=3)
    assert sorted(mail["Subject"] for mail in mails) == [
        f"주문 {order}: 결제가 완료되었습니다",
        f"주문 {order}: 상품이 배송되었습니다",
        f"주문 {order}: 환불이 완료되었습니다",
    ]
    assert all("58,000원" in text_of(mail) for mail in mails if "배송" not in mail["Subject"])


def text_of(mail: object) -> str:
    return mail.get_body(("plain",)).get_content()  # type: ignore[attr-defined, no-any-return]
