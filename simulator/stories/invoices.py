"""Contract D: a paid crypto invoice."""

from simulator.order import SimulatedOrder
from simulator.story import Row, SimulatedWebhook, as_json, customer, mail


def tapayz(order: SimulatedOrder) -> tuple[SimulatedWebhook, ...]:
    """Return the shop's customer webhook, and `invoice.updated` to Complete.

    The invoice's title names goods, so a delivery request is expected too.
    """
    invoice, at = f"INV-{order.order_id}", order.at("payment")
    body = {
        "event": "invoice.updated",
        "timestamp": at,
        "data": {
            "invoiceId": invoice,
            "customerId": order.order_id,
            "customerName": order.name,
            "state": "Complete",
            "previousState": "Pending",
            "title": f"USDT {order.amount:,}원 구매",
            "cashAmount": f"{order.amount}.000000",
            "cryptoAmount": "74.074074",
            "cashAssetId": 1,
            "cryptoAssetId": 1001,
            "completedAt": at,
            "createdAt": order.at("order"),
            "transaction": {"id": f"tx-{order.order_id}", "detail": "d1f10b55", "blockNum": 75235898},
        },
    }
    rows = (Row("invoice", invoice, "Complete"),)
    mails = (mail("InvoiceCompleted", invoice), mail("DigitalDeliveryRequested", invoice))
    return customer(order), SimulatedWebhook("/callback/update-invoice", as_json(body), order.order_id, rows, mails)


STORIES = {"tapayz": tapayz}
