"""Delivery Tracker: a callback is a question, and what its API answers is the scan."""

import json
from typing import Any

import msgspec
import pytest

from providers.contract import InvalidField, NotKnownYet, Received, Translation, Unsupported
from providers.delivery_tracker import api
from providers.delivery_tracker import webhook as delivery_tracker
from stream.events import Micros, ShippingPayload, VerificationRequest
from tests.payloads import sample
from tests.unit.providers.posted import NOW

VERIFICATION_REQUEST = VerificationRequest(subject="parcel", alias="kr.cjlogistics:123456789012")


def received(body: bytes) -> Received:
    return Received("/api/webhooks/delivery_tracker", {}, body, NOW)


def translation_of(answer: Any) -> Translation:
    raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return api.read_response(VERIFICATION_REQUEST, received(b"{}"), raw)


def an_event(code: str, **changes: Any) -> dict[str, Any]:
    return {"data": {"track": {"lastEvent": {"status": {"code": code}, **changes}}}}


def test_a_callback_asks_for_its_parcel() -> None:
    body = sample("delivery_tracker", "callback.composed.json")

    assert delivery_tracker.translate(received(body), "shipping") == Translation(
        VERIFICATION_REQUEST, "parcel.moved", None
    )


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"carrierId":"kr.epost"}',
        b'{"carrierId":"kr:epost","trackingNumber":"1"}',
        b'{"carrierId":"kr.epost","trackingNumber":""}',
        sample("delivery_tracker", "callback.docs-template.json"),
    ],
)
def test_a_callback_that_names_no_parcel_is_unreadable(body: bytes) -> None:
    with pytest.raises(InvalidField):
        delivery_tracker.translate(received(body), "shipping")


def test_it_is_accepted_with_202_and_within_a_second() -> None:
    row = delivery_tracker.PROVIDER

    assert (row.success_response("id", "parcel.moved").status, row.deadline_s) == (202, 0.9)
    assert row.refusals["invalid_signature"].status == 404


def test_the_api_is_asked_for_this_parcel_and_for_nobodys_name() -> None:
    requested = api.build_request(VERIFICATION_REQUEST, "id:secret")

    assert (requested.method, requested.path) == ("POST", "/graphql")
    assert requested.headers == {"Authorization": "TRACKQL-API-KEY id:secret", "Content-Type": "application/json"}
    body = json.loads(requested.body)
    assert body["variables"] == {"carrierId": "kr.cjlogistics", "trackingNumber": "123456789012"}
    assert "lastEvent { time status { code name } location" in body["query"]
    assert not any(word in body["query"] for word in ("contact", "recipient", "sender", "description"))


def test_the_answer_is_a_scan_named_by_parcel_time_and_code() -> None:
    at = 1_769_749_500_000_000
    scan = ShippingPayload(
        order_id=None,
        alias="cj:123456789012",
        status="delivered",
        carrier="kr.cjlogistics",
        carrier_code="cj",
        tracking_number="123456789012",
        location="서울강남",
        scanned_at=Micros(at),
    )

    assert translation_of(sample("delivery_tracker", "answer.delivered.composed.json")) == Translation(
        scan, "parcel.delivered", Micros(at), f"kr.cjlogistics:123456789012:{at}:DELIVERED"
    )


def test_one_moment_written_in_two_zones_is_one_event() -> None:
    seoul = translation_of(an_event("IN_TRANSIT", time="2026-01-30T14:05:00+09:00"))
    london = translation_of(an_event("IN_TRANSIT", time="2026-01-30T05:05:00.000Z"))

    assert seoul == london


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("INFORMATION_RECEIVED", "preparing"),
        ("AT_PICKUP", "preparing"),
        ("IN_TRANSIT", "in_transit"),
        ("OUT_FOR_DELIVERY", "out_for_delivery"),
        ("AVAILABLE_FOR_PICKUP", "out_for_delivery"),
        ("DELIVERED", "delivered"),
        ("ATTEMPT_FAIL", "failed"),
        ("EXCEPTION", "failed"),
    ],
)
def test_each_status_has_its_word(theirs: str, ours: str) -> None:
    payload = translation_of(an_event(theirs)).payload

    assert isinstance(payload, ShippingPayload)
    assert payload.status == ours


@pytest.mark.parametrize(
    "answer",
    [
        sample("delivery_tracker", "answer.unknown.composed.json"),
        sample("delivery_tracker", "answer.not_found.composed.json"),
        {"data": {"track": {"lastEvent": None}}},
        {"data": {"track": None}},
        {"data": None},
        {"errors": [{"extensions": {"code": "INTERNAL"}}]},
        {"errors": [{"message": "no code"}]},
    ],
)
def test_what_the_carrier_does_not_know_may_be_asked_again(answer: Any) -> None:
    with pytest.raises(NotKnownYet):
        translation_of(answer)


@pytest.mark.parametrize(
    "answer",
    [
        an_event("TELEPORTED"),
        {"data": 7},
        {"errors": [{"extensions": {"code": "BAD_REQUEST"}}]},
    ],
)
def test_what_is_no_answer_is_unreadable(answer: Any) -> None:
    with pytest.raises((InvalidField, Unsupported)):
        translation_of(answer)


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "FORBIDDEN"])
def test_a_refused_key_is_told_from_a_failed_request_though_both_are_a_200(code: str) -> None:
    refusal = msgspec.json.encode({"errors": [{"message": "no", "extensions": {"code": code}}], "data": None})
    failure = msgspec.json.encode({"errors": [{"extensions": {"code": "INTERNAL"}}]})

    assert api.refuses_key(refusal)
    assert not api.refuses_key(failure)
    assert not api.refuses_key(b"no JSON")
