"""An event that names no order waits under the provider's own name for the payment, and wakes once an order is told."""

from typing import Any

from stream.events import Cancel, topics
from tests.actors import Store, new_order
from tests.builders import MINUTE, NOON, a_payment, a_refund
from tests.log import append, reading


def test_a_payment_that_waited_for_its_order_is_processed_with_what_tells_it(
    system: dict[str, str], payments: Store
) -> None:
    order, intent = new_order(), new_order()
    failed = a_payment("failed", order=None, alias=intent, name=new_order(), at=NOON)
    paid = a_payment("completed", order=order, aliases=(intent,), name=new_order(), at=NOON + MINUTE)

    with reading(system, topics.OUTCOMES) as outcomes:
        publish(system, failed)
        outcomes.wait_for(lambda one: (one.event_id, one.outcome) == (failed.envelope.event_id, "waiting"))
        assert payments.rows("SELECT order_id FROM aliases WHERE alias = %s", intent) == [{"order_id": None}]
        publish(system, paid)
        outcomes.wait_for(lambda one: (one.event_id, one.outcome) == (failed.envelope.event_id, "processed"))

    assert payments.rows("SELECT status, version FROM payments WHERE order_id = %s", order) == [
        {"status": "completed", "version": 2}
    ]
    assert [row["status"] for row in history(payments, order)] == ["failed", "completed"]


def test_a_later_event_goes_to_the_order_its_name_stands_for(system: dict[str, str], payments: Store) -> None:
    order, intent = new_order(), new_order()
    publish(system, a_payment("completed", order=order, aliases=(intent,), transaction_id=intent, name=new_order()))
    payments.wait_for("SELECT 1 FROM aliases WHERE alias = %s AND order_id = %s", intent, order)
    given_back = (Cancel(id="c1", amount=20000),)

    publish(
        system,
        a_payment(
            "partially_cancelled",
            order=None,
            alias=intent,
            transaction_id=intent,
            at=NOON + MINUTE,
            cancels=given_back,
            name=new_order(),
        ),
    )

    query = "SELECT status FROM payments WHERE order_id = %s AND refunded_amount = 20000"
    assert payments.wait_for(query, order) == [{"status": "partially_cancelled"}]


def test_a_refund_that_names_only_the_payment_finds_its_order_by_what_the_payment_told(
    system: dict[str, str], payments: Store, refunds: Store
) -> None:
    order, intent = new_order(), new_order()
    refund = a_refund("completed", order=None, refund_id=new_order(), alias=intent, name=new_order())

    with reading(system, topics.OUTCOMES) as outcomes:
        append(system, topics.REFUND_WEBHOOKS, f"generic:{intent}", refund)
        outcomes.wait_for(lambda one: (one.event_id, one.outcome) == (refund.envelope.event_id, "waiting"))
    publish(system, a_payment("completed", order=order, transaction_id=intent, name=new_order()))

    query = "SELECT refund_id, status FROM refunds WHERE order_id = %s"
    assert refunds.wait_for(query, order) == [{"refund_id": refund.payload.refund_id, "status": "completed"}]


def test_what_was_paid_twice_waits_to_be_given_back(system: dict[str, str], refunds: Store) -> None:
    order = new_order()
    for number in (1, 2):
        published = a_payment("completed", order=order, transaction_id=f"T{number}", at=NOON + number, name=new_order())
        publish(system, published)

    query = "SELECT status, amount, reason, provider FROM refunds WHERE order_id = %s"
    assert refunds.wait_for(query, order) == [
        {"status": "pending", "amount": 58000, "reason": "overpaid", "provider": "hookstream"}
    ]


def publish(system: dict[str, str], webhook: Any) -> None:
    append(system, topics.PAYMENT_WEBHOOKS, topics.PAYMENT_WEBHOOKS.key(webhook), webhook)


def history(payments: Store, order: str) -> list[dict[str, Any]]:
    return payments.rows(
        "SELECT status FROM payment_history WHERE order_id = %s AND outcome = 'processed' ORDER BY occurred_at", order
    )
