"""Contract C: a paid order for a plan activates the user's subscription."""

from dataclasses import replace

from simulator.order import SimulatedOrder
from simulator.story import Row, SimulatedWebhook, as_json, customer, mail, ordered


def tosspayments(order: SimulatedOrder) -> tuple[SimulatedWebhook, ...]:
    """Return the shop's customer and order webhooks, and `payment.confirmed`. The order id contains user and plan."""
    user, at = order.order_id, order.moment("payment")
    order_id = f"BIZ-{user}-PRO-{at:%Y%m%d%H%M%S}"
    body = {
        "eventType": "payment.confirmed",
        "createdAt": order.at("payment"),
        "data": {
            "orderId": order_id,
            "paymentKey": f"pk_{user}",
            "orderName": "PRO",
            "status": "DONE",
            "totalAmount": order.amount,
            "method": "카드",
            "approvedAt": order.at("payment"),
            "card": {"issuerCode": "71", "acquirerCode": "71", "number": "12345678****000*", "cardType": "신용"},
        },
    }
    rows = (Row("payment", order_id, "completed"), Row("subscription", user, "active"))
    mails = (mail("PaymentCompleted", order_id), mail("SubscriptionActivated", user, order_id))
    paid = SimulatedWebhook("/api/webhooks/tosspayments", as_json(body), user, rows, mails)
    order_webhook = ordered(order, orderId=order_id, customerId=user)
    return customer(order), replace(order_webhook, order_id=user), paid


STORIES = {"tosspayments": tosspayments}
