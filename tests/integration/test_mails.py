"""What becomes of mails when what they pass through fails."""

from tests.actors import Inbox, Shop, Store, new_order
from tests.processes import kill


def test_a_letter_that_cannot_be_written_fails_alone(
    shop: Shop, inbox: Inbox, notifications: Store, system: dict[str, str]
) -> None:
    broken, order = new_order(), new_order()
    customer = f"{order.lower()}@example.test"
    notifications.rows(
        "INSERT INTO notifications (notification_id, fact_id, fact_type, audience, channel, order_id, contact, fact,"
        " status) VALUES (gen_random_uuid(), gen_random_uuid(), 'NoSuchFact', 'customer', 'email', %s,"
        """ 'nobody@example.test', '{"received_at": 1}', 'queued') RETURNING 1""",
        broken,
    )

    shop.post("order", {"orderId": order, "customerEmail": customer})
    shop.post("payment", {"orderId": order, "status": "completed"})

    inbox.wait_for(customer)
    (letter,) = notifications.wait_for(
        "SELECT status, error FROM notifications WHERE order_id = %s AND status = 'failed'", broken
    )
    assert "NoSuchFact" in letter["error"]


def test_a_mail_waits_for_a_mail_server_that_is_away(
    shop: Shop, inbox: Inbox, notifications: Store, system: dict[str, str]
) -> None:
    order = new_order()
    customer = f"{order.lower()}@example.test"
    kill(system, "INBOX")

    shop.post("order", {"orderId": order, "customerEmail": customer})
    shop.post("payment", {"orderId": order, "status": "completed"})

    assert len(inbox.wait_for(customer)) == 1
    assert notifications.wait_for(
        "SELECT status FROM notifications WHERE order_id = %s AND status = 'sent'", order
    ) == [{"status": "sent"}]
