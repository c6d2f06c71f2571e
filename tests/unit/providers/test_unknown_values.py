"""A value that a provider may add one day is no reason to refuse its webhook: it is kept, and answered as accepted."""

import json
from typing import Any

import pytest

from providers.aftership import webhook as aftership
from providers.contract import ApiVerification, InvalidField, Provider, Received, Translation, Unsupported
from providers.delivery_tracker import webhook as delivery_tracker
from providers.easypost import webhook as easypost
from providers.generic import webhook as generic
from providers.portone_v1 import webhook as portone_v1
from providers.portone_v2 import webhook as portone_v2
from providers.shippo import webhook as shippo
from providers.stripe import webhook as stripe
from providers.toss import webhook as toss
from providers.tosspayments import webhook as tosspayments
from stream.events import PaymentPayload, ShippingPayload, VerificationRequest
from tests.unit.providers.posted import NOW


def translation_of(provider: Provider, body: Any, kind: str = "any") -> Translation:
    return provider.translate(Received("/", {}, json.dumps(body).encode(), NOW), kind)


def event(type_: str, **thing: Any) -> dict[str, Any]:
    return {"id": "evt_1", "object": "event", "type": type_, "created": 1_700_000_000, "data": {"object": thing}}


@pytest.mark.parametrize(
    "body",
    [
        event("checkout.session.completed", id="cs_1", payment_status="partially_paid", currency="krw"),
        event("refund.updated", id="re_1", status="under_review", payment_intent="pi_1"),
        event("refund.reversed", id="re_1"),
        event("invoice.paid", id="in_1", subscription="sub_1"),
        event("customer.subscription.updated", id="sub_1", status="paused"),
    ],
    ids=lambda body: body["type"],
)
def test_stripes_new_values_and_renewals_are_accepted_and_kept(body: dict[str, Any]) -> None:
    with pytest.raises(Unsupported):
        translation_of(stripe.PROVIDER, body)


@pytest.mark.parametrize(
    "change",
    [
        {"failure_reason": "a_new_reason"},
        {"reason": "a_new_reason"},
        {"pending_reason": "a_new_reason"},
        {"payment_method_types": ["a_new_method"]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_stripes_new_reasons_and_methods_cost_nothing(change: dict[str, Any]) -> None:
    body = event("refund.updated", id="re_1", status="failed", payment_intent="pi_1", **change)

    assert translation_of(stripe.PROVIDER, body).event_type == "refund.updated"


def test_a_renewals_payment_that_names_no_order_waits_under_its_intent() -> None:
    body = event("payment_intent.succeeded", id="pi_1", amount=1000, currency="krw", invoice="in_1", metadata={})

    payload = translation_of(stripe.PROVIDER, body).payload
    assert isinstance(payload, PaymentPayload)
    assert (payload.order_id, payload.alias, payload.status) == (None, "pi_1", "completed")


def test_a_billing_renewal_that_names_no_order_waits_under_its_payment() -> None:
    body = {"eventType": "payment.confirmed", "paymentKey": "pk_1", "billingKey": "bk_1", "totalAmount": 9900}

    payload = translation_of(tosspayments.PROVIDER, body).payload
    assert isinstance(payload, PaymentPayload)
    assert (payload.order_id, payload.alias) == (None, "pk_1")


def test_easyposts_new_mode_is_accepted_and_kept() -> None:
    tracker = {"tracking_code": "1", "status": "delivered", "carrier": "UPS"}
    body = {"id": "evt_1", "description": "tracker.updated", "mode": "rehearsal", "result": tracker}
    with pytest.raises(Unsupported):
        translation_of(easypost.PROVIDER, body)


@pytest.mark.parametrize(
    ("tag", "is_returned", "status"),
    [
        ("Delivered", True, "failed"),
        ("Delivered", False, "delivered"),
        ("Delivered", None, "delivered"),
        ("OutForDelivery", True, "failed"),
        ("OutForDelivery", False, "out_for_delivery"),
        ("Exception", None, "failed"),
    ],
)
def test_a_parcel_that_is_delivered_back_to_its_sender_has_failed(
    tag: str, is_returned: bool | None, status: str
) -> None:
    tracking = {"tracking_number": "1", "tag": tag, "slug": "ups", "return_to_sender": is_returned}

    payload = translation_of(aftership.PROVIDER, {"event": "tracking_update", "event_id": "e", "msg": tracking}).payload
    assert isinstance(payload, ShippingPayload)
    assert payload.status == status


ANSWERS: list[tuple[Provider, VerificationRequest, dict[str, Any]]] = [
    (
        toss.PROVIDER,
        VerificationRequest(subject="payment", alias="pk"),
        {"paymentKey": "pk", "orderId": "O-1", "status": "A_NEW_STATUS"},
    ),
    (
        portone_v1.PROVIDER,
        VerificationRequest(subject="payment", alias="imp"),
        {"code": 0, "response": {"imp_uid": "imp", "status": "a_new_status"}},
    ),
    (
        portone_v2.PROVIDER,
        VerificationRequest(subject="payment", alias="O-1"),
        {"id": "O-1", "status": "A_NEW_STATUS"},
    ),
    (
        delivery_tracker.PROVIDER,
        VerificationRequest(subject="parcel", alias="kr.cjlogistics:1"),
        {"data": {"track": {"lastEvent": {"status": {"code": "A_NEW_CODE"}}}}},
    ),
]


@pytest.mark.parametrize(
    ("provider", "verification_request", "answer"), ANSWERS, ids=[provider.name for provider, *_ in ANSWERS]
)
def test_a_new_status_in_a_providers_answer_is_nothing_we_act_on_rather_than_an_unreadable_answer(
    provider: Provider, verification_request: VerificationRequest, answer: dict[str, Any]
) -> None:
    inquiry = provider.api_verification
    assert isinstance(inquiry, ApiVerification)
    with pytest.raises(Unsupported):
        inquiry.read_response(verification_request, Received("/", {}, b"{}", NOW), json.dumps(answer).encode())


RETURNS = [
    (easypost.PROVIDER, {"id": "e", "description": "tracker.updated", "result": {"tracking_code": "1", "status": "X"}}),
    (shippo.PROVIDER, {"event": "track_updated", "data": {"tracking_number": "1", "tracking_status": {"status": "X"}}}),
]


@pytest.mark.parametrize(
    ("provider", "body", "changes"), [(*RETURNS[0], '"return_to_sender"'), (*RETURNS[1], '"RETURNED"')]
)
def test_a_parcel_that_goes_back_has_failed(provider: Provider, body: dict[str, Any], changes: str) -> None:
    payload = translation_of(provider, json.loads(json.dumps(body).replace('"X"', changes))).payload

    assert isinstance(payload, ShippingPayload)
    assert payload.status == "failed"


def test_shippos_transit_back_to_the_sender_has_failed() -> None:
    now = {"status": "TRANSIT", "substatus": {"code": "return_to_sender"}}
    body = {"event": "track_updated", "data": {"tracking_number": "1", "tracking_status": now}}

    payload = translation_of(shippo.PROVIDER, body).payload
    assert isinstance(payload, ShippingPayload)
    assert payload.status == "failed"


def test_contract_a_lists_its_statuses_and_refuses_another_by_its_name() -> None:
    with pytest.raises(InvalidField, match="'returned' - at"):
        generic.translate(Received("/", {}, b'{"orderId": 1, "status": "returned"}', NOW), "shipping")
