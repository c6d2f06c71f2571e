"""Contract B over HTTP: what Stripe posts, what it is answered, and what becomes of it."""

import json
from typing import Any

import pytest

from providers.stripe import webhook as stripe
from simulator import signing
from stream.events import topics
from tests.actors import Store, new_order
from tests.contract.sender import Sender, of, sender
from tests.log import reading
from tests.unit.providers.mutations import sample

PATH = "/api/webhooks/stripe"
RECEIVED = (200, {"received": True})
OBJECTS = {
    "checkout.session.completed": "checkout.session.completed",
    "checkout.session.expired": "checkout.session.expired.composed",
    "payment_intent.payment_failed": "payment_intent.payment_failed.composed",
}


@pytest.fixture
def sends(system: dict[str, str]) -> Sender:
    """Stripe, at this system."""
    return sender(system, stripe.PROVIDER)


def event(name: str, order: str, **fields: Any) -> bytes:
    """A sample as an event of its own, about one of our orders."""
    said = json.loads(sample("stripe", name))
    said["id"] = f"evt_{new_order()}"
    said["data"]["object"].update({"metadata": {"order_id": order}, **fields})
    return json.dumps(said, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("event_type", "status"),
    [
        ("checkout.session.completed", "completed"),
        ("checkout.session.expired", "expired"),
        ("payment_intent.payment_failed", "failed"),
    ],
)
def test_each_event_of_the_contract_changes_the_payment(
    sends: Sender, payments: Store, event_type: str, status: str
) -> None:
    order = new_order()

    answer = of(sends.post(PATH, event(OBJECTS[event_type], order)))

    assert answer == RECEIVED
    (row,) = payments.wait_for(
        "SELECT status, provider FROM payments WHERE order_id = %s AND status IS NOT NULL", order
    )
    assert row == {"status": status, "provider": "stripe"}


def test_a_completed_session_is_paid_in_the_minor_units_of_its_currency(sends: Sender, payments: Store) -> None:
    order = new_order()

    sends.post(PATH, event("checkout.session.completed", order, amount_total=58000, currency="krw"))

    (row,) = payments.wait_for("SELECT status, amount, currency FROM payments WHERE order_id = %s", order)
    assert row == {"status": "completed", "amount": 58000, "currency": "KRW"}


def test_a_completed_session_that_is_not_paid_waits(sends: Sender, payments: Store) -> None:
    order = new_order()

    answer = of(sends.post(PATH, event("checkout.session.completed", order, payment_status="unpaid")))

    assert answer == RECEIVED
    (row,) = payments.wait_for("SELECT status FROM payments WHERE order_id = %s", order)
    assert row == {"status": "pending"}


def test_a_webhook_for_a_status_already_reached_is_answered_like_the_first(
    system: dict[str, str], sends: Sender
) -> None:
    body = event("checkout.session.completed", new_order())

    with reading(system, topics.PAYMENT_WEBHOOKS) as records:
        answers = [of(sends.post(PATH, body)) for _ in range(2)]
        records.wait_for(lambda _: len(records.records) >= 2)

    assert answers == [RECEIVED, RECEIVED]
    assert len({record.envelope.event_id for record in records.records if record.envelope.raw == body}) == 1


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none at all"),
        pytest.param({"Stripe-Signature": "t=1,v1=00"}, id="a wrong one"),
        pytest.param(signing.generic(b"{}", b"whsec"), id="another provider's"),
    ],
)
def test_a_missing_or_wrong_signature_is_answered_400(sends: Sender, headers: dict[str, str]) -> None:
    status, body = of(sends.send(PATH, b"{}", headers))

    assert status == 400
    assert body == {"error": "invalid_signature", "message": "Stripe-Signature is missing or not of these bytes"}


@pytest.mark.parametrize("ago_s", [310, -310])
def test_a_signature_of_another_time_is_answered_400(sends: Sender, ago_s: float) -> None:
    status, body = of(sends.post(PATH, event("checkout.session.completed", new_order()), ago_s=ago_s))

    assert status == 400
    assert body == {"error": "stale_timestamp", "message": "Stripe-Signature was made more than 300 s from now"}


@pytest.mark.parametrize("name", ["thin.v1.billing.meter.error_report_triggered", "eventbridge.composed"])
def test_an_event_that_is_not_used_is_answered_200_and_kept(system: dict[str, str], sends: Sender, name: str) -> None:
    body = sample("stripe", name).replace(b"evt_", new_order().encode(), 1)

    with reading(system, topics.QUARANTINE) as stored:
        answer = of(sends.post(PATH, body))
        record = stored.wait_for(lambda record: record.raw == body)

    assert answer == RECEIVED
    assert (record.cause, record.provider, record.verification) == ("unsupported_type", "stripe", "signature")


def test_an_event_of_the_other_mode_is_answered_200_and_kept(system: dict[str, str], sends: Sender) -> None:
    live = json.loads(event("checkout.session.completed", new_order())) | {"livemode": True}
    body = json.dumps(live).encode()

    with reading(system, topics.QUARANTINE) as stored:
        answer = of(sends.post(PATH, body))
        record = stored.wait_for(lambda record: record.raw == body)

    assert (answer, record.cause) == (RECEIVED, "other_mode")


def test_what_cannot_be_read_is_answered_400_and_kept(system: dict[str, str], sends: Sender) -> None:
    body = event("checkout.session.completed", new_order(), amount_total="3000")

    with reading(system, topics.QUARANTINE) as stored:
        status, said = of(sends.post(PATH, body))
        record = stored.wait_for(lambda record: record.raw == body)

    assert (status, said["error"]) == (400, "invalid_field")
    assert "amount_total" in said["message"]
    assert record.headers.keys() == {"stripe-signature"}


def test_a_dispute_waits_for_its_payment_and_stands_in_its_row(
    sends: Sender, payments: Store, notifications: Store
) -> None:
    order = new_order()
    names = {"payment_intent": f"pi_{order}", "charge": f"ch_{order}", "metadata": {}}
    dispute = {**names, "id": f"dp_{order}", "amount": 2000, "currency": "usd"}
    charge = {"id": names["charge"], "payment_intent": names["payment_intent"], "amount": 2000, "currency": "usd"}

    early = of(sends.post(PATH, event("charge.dispute.created", order, **dispute)))
    paid = of(sends.post(PATH, event("charge.succeeded", order, **charge, amount_captured=2000)))
    (opened,) = payments.wait_for(
        "SELECT status, dispute_id, dispute_status, dispute_reason, disputed_amount, disputed_currency,"
        " extract(epoch FROM dispute_due_at)::bigint AS due, charged_back_amount FROM payments"
        " WHERE order_id = %s AND dispute_id IS NOT NULL",
        order,
    )
    lost = of(sends.post(PATH, event("charge.dispute.closed.lost.composed", order, **dispute)))
    (settled,) = payments.wait_for(
        "SELECT status, refunded_amount, dispute_status, charged_back_amount FROM payments"
        " WHERE order_id = %s AND dispute_status = 'lost'",
        order,
    )

    assert [early, paid, lost] == [RECEIVED] * 3
    assert opened == {
        "status": "completed",
        "dispute_id": f"dp_{order}",
        "dispute_status": "warning_needs_response",
        "dispute_reason": "fraudulent",
        "disputed_amount": 2000,
        "disputed_currency": "USD",
        "due": 1_649_116_799,
        "charged_back_amount": 0,
    }
    assert settled == {
        "status": "completed",
        "refunded_amount": 0,
        "dispute_status": "lost",
        "charged_back_amount": 2000,
    }
    history = "SELECT status FROM payment_history WHERE order_id = %s AND status LIKE 'dispute%%'"
    assert len(payments.wait_for(history, order, count=2)) == 2
    published = "SELECT DISTINCT event_type FROM notifications WHERE order_id = %s AND event_type LIKE 'Dispute%%'"
    assert {row["event_type"] for row in notifications.wait_for(published, order, count=2)} == {
        "DisputeOpened",
        "DisputeClosed",
    }
    customers = (
        "SELECT 1 FROM notifications WHERE order_id = %s AND event_type LIKE 'Dispute%%' AND audience = 'customer'"
    )
    assert notifications.rows(customers, order) == []
