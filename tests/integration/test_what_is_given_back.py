"""What is given back, and what comes back: the payment's store and the refund's agree, and people are told once."""

from typing import Any

from stream.events import PaymentCompleted, RefundMismatched, topics
from tests.actors import Store, new_order
from tests.builders import MINUTE, NOON, a_payment, a_refund
from tests.log import append, reading


def test_a_payment_whose_refund_failed_is_paid_again_in_both_stores(
    system: dict[str, str], payments: Store, refunds: Store
) -> None:
    order, intent = new_order(), new_order()
    stripe: dict[str, Any] = {"order": order, "provider": "stripe", "aliases": (intent,)}
    charge = {**stripe, "transaction_id": intent, "amount": 2000, "currency": "USD"}
    refund = {**stripe, "refund_id": new_order(), "amount": 2000, "currency": "USD", "reported_by_payment": True}

    with reading(system, topics.PAYMENTS) as events:
        publish(system, topics.PAYMENT_WEBHOOKS, a_payment("completed", name=new_order(), **charge))
        given_back = a_payment("cancelled", at=NOON + MINUTE, name=new_order(), refunded_amount=2000, **charge)
        publish(system, topics.PAYMENT_WEBHOOKS, given_back)
        publish(system, topics.REFUND_WEBHOOKS, a_refund("completed", at=NOON + MINUTE, name=new_order(), **refund))
        payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s AND refunded_amount = 2000", order)
        refunds.wait_for("SELECT 1 FROM orders WHERE order_id = %s AND refunded_amount = 2000", order)

        failed = a_refund("rejected", at=NOON + 2 * MINUTE, name=new_order(), **refund)
        publish(system, topics.REFUND_WEBHOOKS, failed)
        again = events.wait_for(
            lambda event: isinstance(event, PaymentCompleted) and event.caused_by == failed.envelope.event_id
        )

    assert again.reason == "refund_failed"
    (row,) = payments.rows("SELECT status, refunded_amount FROM payments WHERE order_id = %s", order)
    assert row == {"status": "completed", "refunded_amount": 0}
    refunds.wait_for("SELECT 1 FROM orders WHERE order_id = %s AND refunded_amount = 0", order)


def test_the_release_of_what_was_not_captured_leaves_no_refund_row(
    system: dict[str, str], payments: Store, refunds: Store
) -> None:
    order, intent = new_order(), new_order()
    stripe: dict[str, Any] = {"order": order, "provider": "stripe", "aliases": (intent,), "currency": "USD"}
    refund = {**stripe, "amount": 375, "reported_by_payment": True}
    released = a_refund("completed", refund_id="re_1", name=new_order(), **refund)
    paid = a_payment("completed", amount=20300, released_amount=375, transaction_id=intent, name=new_order(), **stripe)
    back = a_refund("completed", refund_id="re_2", at=NOON + MINUTE, name=new_order(), **refund)

    publish(system, topics.REFUND_WEBHOOKS, released)
    refunds.wait_for("SELECT 1 FROM refunds WHERE order_id = %s", order)  # nobody knows yet what it was
    publish(system, topics.PAYMENT_WEBHOOKS, paid)
    refunds.wait_for("SELECT 1 FROM orders WHERE order_id = %s AND refund_status IS NULL AND version > 0", order)
    assert refunds.rows("SELECT refund_id FROM refunds WHERE order_id = %s", order) == []
    publish(system, topics.REFUND_WEBHOOKS, back)
    refunds.wait_for("SELECT 1 FROM orders WHERE order_id = %s AND refunded_amount = 375", order)

    rows = refunds.rows("SELECT refund_id, status FROM refunds WHERE order_id = %s", order)
    assert rows == [{"refund_id": "re_2", "status": "completed"}]
    payments.wait_for("SELECT 1 FROM payments WHERE order_id = %s AND refunded_amount = 375", order)


def test_a_cancel_of_another_provider_waits_until_that_provider_was_paid(
    system: dict[str, str], payments: Store
) -> None:
    order = new_order()
    paid = a_payment("completed", order=order, provider="toss", transaction_id="T", name=new_order())
    cancel = a_payment(
        "cancelled", order=order, provider="stripe", transaction_id="pi", at=NOON + 2 * MINUTE, name=new_order()
    )
    theirs = a_payment(
        "completed", order=order, provider="stripe", transaction_id="pi", at=NOON + MINUTE, name=new_order()
    )

    with reading(system, topics.OUTCOMES) as outcomes:
        publish(system, topics.PAYMENT_WEBHOOKS, paid)
        publish(system, topics.PAYMENT_WEBHOOKS, cancel)
        outcomes.wait_for(lambda one: (one.event_id, one.outcome) == (cancel.envelope.event_id, "waiting"))
        (row,) = payments.rows("SELECT status, provider FROM payments WHERE order_id = %s", order)
        assert row == {"status": "completed", "provider": "toss"}
        publish(system, topics.PAYMENT_WEBHOOKS, theirs)
        outcomes.wait_for(lambda one: (one.event_id, one.outcome) == (cancel.envelope.event_id, "processed"))

    rows = payments.rows("SELECT transaction_id, status FROM transactions WHERE order_id = %s", order)
    assert {row["transaction_id"]: row["status"] for row in rows} == {"T": "completed", "pi": "cancelled"}


def test_a_refund_of_more_than_was_paid_is_flagged_and_does_not_count(
    system: dict[str, str], payments: Store, refunds: Store
) -> None:
    order = new_order()
    publish(system, topics.PAYMENT_WEBHOOKS, a_payment("completed", order=order, name=new_order()))
    refunds.wait_for("SELECT 1 FROM orders WHERE order_id = %s AND paid::text <> '{}'", order)
    back = a_refund("completed", order=order, refund_id=new_order(), amount=99000, at=NOON + MINUTE, name=new_order())

    with reading(system, topics.REFUNDS) as events:
        publish(system, topics.REFUND_WEBHOOKS, back)
        published = events.wait_for(lambda event: event.order_id == order)

    assert isinstance(published, RefundMismatched)
    assert (published.amount, published.paid_amount, published.reason) == (99000, 58000, "exceeds_payment")
    rows = refunds.rows("SELECT status, amount, mismatch FROM refunds WHERE order_id = %s", order)
    assert rows == [{"status": "completed", "amount": 99000, "mismatch": "exceeds_payment"}]
    assert refunds.rows("SELECT refunded_amount FROM orders WHERE order_id = %s", order) == [{"refunded_amount": 0}]


def publish(system: dict[str, str], topic: topics.Topic, webhook: Any) -> None:
    append(system, topic, topic.key(webhook), webhook)
