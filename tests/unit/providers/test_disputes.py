"""Disputes and chargebacks, as the providers that tell of them do."""

import json
from typing import Any

import pytest

from providers.contract import InvalidField, Received, Translation
from providers.portone_v2 import webhook as portone_v2
from providers.records import webhook_record
from providers.stripe import webhook as stripe
from stream.events import DisputePayload, Micros, OrderId, topics
from tests.unit.providers.mutations import sample
from tests.unit.providers.posted import NOW

DUE = 1_649_116_799_000_000
LIFE = {
    "charge.dispute.created": ("warning_needs_response", None),
    "charge.dispute.updated.composed": ("under_review", None),
    "charge.dispute.funds_withdrawn.composed": ("needs_response", "withdrawn"),
    "charge.dispute.funds_reinstated.composed": ("won", "reinstated"),
    "charge.dispute.closed.composed": ("won", None),
    "charge.dispute.closed.lost.composed": ("lost", None),
}


def read(name: str, event_type: str | None = None, **changes: Any) -> Translation:
    event = json.loads(sample("stripe", name))
    event["type"] = event_type or event["type"]
    event["data"]["object"].update(changes)
    return stripe.translate(Received("/api/webhooks/stripe", {}, json.dumps(event).encode(), NOW), "any")


def dispute(name: str, event_type: str | None = None, **changes: Any) -> DisputePayload:
    payload = read(name, event_type, **changes).payload
    assert isinstance(payload, DisputePayload)
    return payload


def test_a_dispute_of_stripes_is_read_with_its_reason_amount_and_deadline() -> None:
    translation = read("charge.dispute.created")

    assert translation.payload == DisputePayload(
        order_id=None,
        alias="ch_000000000000000000000000",
        dispute_id="dp_000000000000000000000000",
        status="warning_needs_response",
        reason="fraudulent",
        amount=100,
        currency="USD",
        evidence_due_by=Micros(DUE),
        transaction_id="ch_000000000000000000000000",
        aliases=("ch_000000000000000000000000",),
    )
    assert (translation.event_type, translation.occurred_at) == ("charge.dispute.created", 1_648_319_940_000_000)


@pytest.mark.parametrize(("name", "status", "funds"), [(name, *event) for name, event in LIFE.items()])
def test_each_event_of_a_disputes_life_is_read(name: str, status: str, funds: str | None) -> None:
    payload = dispute(name)

    assert (payload.status, payload.funds) == (status, funds)
    received = Received("/api/webhooks/stripe", {}, sample("stripe", name), NOW)
    record = webhook_record(stripe.PROVIDER, received, "signature", read(name), "test")
    assert record.topic is topics.PAYMENT_WEBHOOKS
    assert record.key == "stripe:ch_000000000000000000000000"


def test_the_payment_intent_is_the_payments_first_name() -> None:
    payload = dispute("charge.dispute.created", payment_intent="pi_1")

    assert (payload.alias, payload.transaction_id) == ("pi_1", "pi_1")
    assert payload.aliases == ("ch_000000000000000000000000", "pi_1")


def test_a_dispute_may_name_the_order_itself() -> None:
    payload = dispute("charge.dispute.created", metadata={"order_id": "O-7"})

    assert (payload.order_id, payload.alias) == ("O-7", None)


@pytest.mark.parametrize(
    ("event_type", "status", "ours"),
    [
        ("charge.dispute.created", "something_new", "needs_response"),
        ("charge.dispute.updated", None, "needs_response"),
        ("charge.dispute.closed", "something_new", "closed"),
        ("charge.dispute.closed", "charge_refunded", "closed"),
        ("charge.dispute.closed", "prevented", "closed"),
        ("charge.dispute.closed", "warning_closed", "warning_closed"),
    ],
)
def test_a_status_we_do_not_know_refuses_no_dispute(event_type: str, status: str | None, ours: str) -> None:
    assert dispute("charge.dispute.created", event_type, status=status).status == ours


@pytest.mark.parametrize("nothing", [None, {}, {"due_by": None}, {"due_by": 0}])
def test_a_deadline_may_be_missing(nothing: Any) -> None:
    assert dispute("charge.dispute.created", evidence_details=nothing).evidence_due_by is None


def test_a_dispute_of_no_payment_is_refused() -> None:
    with pytest.raises(InvalidField, match="must name"):
        read("charge.dispute.created", charge=None, payment_intent=None)


@pytest.mark.parametrize(("event", "status"), [("DisputeCreated", "needs_response"), ("DisputeResolved", "closed")])
def test_portone_v2_tells_that_there_is_a_dispute_and_no_more(event: str, status: Any) -> None:
    data = {"storeId": "S-1", "paymentId": "O-1", "transactionId": "tx-1"}
    body = {"type": f"Transaction.{event}", "timestamp": "2024-04-25T10:00:00.000Z", "data": data}
    received = Received("/api/webhooks/portone_v2", {}, json.dumps(body).encode(), NOW)

    translation = portone_v2.translate(received, "payment")

    assert translation.payload == DisputePayload(
        order_id=OrderId("O-1"), dispute_id="tx-1", status=status, transaction_id="tx-1", aliases=("tx-1",)
    )
    assert translation.occurred_at == 1_714_039_200_000_000
    assert webhook_record(portone_v2.PROVIDER, received, "signature", translation, "test").key == "O-1"
