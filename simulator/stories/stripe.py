"""Stripe: the order is paid, or paid and disputed."""

from dataclasses import replace
from datetime import timedelta

from simulator.order import SimulatedOrder
from simulator.story import Row, SimulatedWebhook, as_json, mail, ordered, paid


def stripe(order: SimulatedOrder) -> tuple[SimulatedWebhook, ...]:
    """Return the shop's order webhook, and `payment_intent.succeeded` with the order in the intent's metadata.

    KRW has no minor unit.
    """
    return ordered(order), _intent(order)


def stripe_dispute(order: SimulatedOrder) -> tuple[SimulatedWebhook, ...]:
    """Return the order, its payment, and two webhooks of a dispute, by which the bank takes the money back.

    Seller and customer have the same address. The dispute stays open, so its mail is sent whichever of its webhooks
    comes first.
    """
    at, due_at = order.moment("payment") + timedelta(hours=1), order.now + timedelta(days=7)
    dispute_id = f"dp_{order.order_id}"
    dispute = {
        "id": dispute_id,
        "object": "dispute",
        "amount": order.amount,
        "charge": f"ch_{order.order_id}",
        "created": int(at.timestamp()),
        "currency": "krw",
        "evidence_details": {"due_by": int(due_at.timestamp()), "has_evidence": False, "past_due": False},
        "livemode": False,
        "metadata": {"order_id": order.order_id},
        "payment_intent": f"pi_{order.order_id}",
        "reason": "fraudulent",
        "status": "needs_response",
    }
    passes = (Row("payment", order.order_id, "needs_response"),)
    due = f"{int(due_at.timestamp())}000000"
    opened = mail("DisputeOpened", order.order_id, dispute_id, "dispute", due, audience="seller")
    sold = mail("PaymentCompleted", order.order_id, audience="seller")
    intent = _intent(order)
    disputed = [
        SimulatedWebhook(
            "/api/webhooks/stripe",
            _event(order, f"charge.dispute.{name}", dispute, int(at.timestamp())),
            order.order_id,
            mails=(opened,) if name == "created" else (),
            passes=passes,
        )
        for name in ("created", "funds_withdrawn")
    ]
    return ordered(order, sellerEmail=order.email), replace(intent, mails=(*intent.mails, sold)), *disputed


def _intent(order: SimulatedOrder) -> SimulatedWebhook:
    at = int(order.moment("payment").timestamp())
    intent = {
        "id": f"pi_{order.order_id}",
        "object": "payment_intent",
        "amount": order.amount,
        "amount_received": order.amount,
        "created": at,
        "currency": "krw",
        "livemode": False,
        "metadata": {"order_id": order.order_id},
        "payment_method_types": ["card"],
        "status": "succeeded",
    }
    return paid(order, "/api/webhooks/stripe", _event(order, "payment_intent.succeeded", intent, at))


def _event(order: SimulatedOrder, event_type: str, stripe_object: dict[str, object], at: int) -> bytes:
    event = {
        "id": f"evt_{order.order_id}_{event_type}",
        "object": "event",
        "api_version": "2020-08-27",
        "created": at,
        "data": {"object": stripe_object},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": event_type,
    }
    return as_json(event)


STORIES = {"stripe": stripe, "stripe_dispute": stripe_dispute}
