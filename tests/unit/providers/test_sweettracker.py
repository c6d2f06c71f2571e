"""SweetTracker: a form or JSON, a level, a carrier's number; nothing of the people."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from providers.contract import InvalidField, Malformed, Received, Translation, Unsupported
from providers.sweettracker import webhook as sweettracker
from stream.events import Micros, ShippingPayload, ids
from tests.payloads import sample
from tests.unit.providers.posted import NOW

AT = 1_769_731_800_000_000
FIELDS = json.loads(sample("sweettracker", "callback.composed.json"))


def received(body: bytes) -> Received:
    return Received("/api/webhooks/sweettracker", {}, body, NOW)


def callback(**changes: Any) -> Translation:
    """The sample with some of its fields changed; None leaves one out."""
    fields = {name: value for name, value in (FIELDS | changes).items() if value is not None}
    return sweettracker.translate(received(json.dumps(fields).encode()), "shipping")


def payload(**changes: Any) -> ShippingPayload:
    translation = callback(**changes).payload
    assert isinstance(translation, ShippingPayload)
    return translation


def test_a_callback_is_a_scan_under_the_shops_own_registration() -> None:
    scan = ShippingPayload(
        order_id=None,
        alias="shop-7-1001",
        status="out_for_delivery",
        carrier="CJ대한통운",
        carrier_code="cj",
        tracking_number="123456789012",
        location="서울강남",
        scanned_at=Micros(AT),
    )

    assert callback() == Translation(scan, "level.5", Micros(AT), f"shop-7-1001\n04\n123456789012\n5\n{AT}")


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_a_form_says_what_json_says(encoding: str) -> None:
    form = urlencode(FIELDS, encoding=encoding).encode()

    assert sweettracker.translate(received(form), "shipping") == callback()


def test_a_byte_order_mark_before_json_costs_nothing() -> None:
    body = b"\xef\xbb\xbf" + json.dumps(FIELDS).encode()

    assert sweettracker.translate(received(body), "shipping") == callback()


def test_the_sample_form_is_read() -> None:
    assert sweettracker.translate(received(sample("sweettracker", "callback.composed.form")), "shipping") == callback()


def test_nothing_of_the_people_is_passed_on() -> None:
    passed_on = repr(callback())

    assert not [
        name
        for name in ("telno_office", "telno_man", "recv_addr", "recv_name", "send_name", "man")
        if FIELDS[name] in passed_on
    ]


@pytest.mark.parametrize("where", ["김민지", "서울 강남구 역삼동 1-1 101호", "강남 010-5555-0101", "강남 02-123-4567"])
def test_a_place_that_says_who_somebody_is_is_left_out(where: str) -> None:
    assert payload(where=where).location is None


@pytest.mark.parametrize(
    ("level", "ours"),
    [
        ("1", "preparing"),
        ("2", "in_transit"),
        ("3", "in_transit"),
        (4, "in_transit"),
        ("5", "out_for_delivery"),
        ("6", "delivered"),
    ],
)
def test_each_level_has_its_word(level: str | int, ours: str) -> None:
    assert payload(level=level).status == ours


@pytest.mark.parametrize("level", ["-99", -99, "0", "7", "배송"])
def test_an_error_of_the_scan_moves_nothing_and_is_answered_as_a_failure(level: str | int) -> None:
    with pytest.raises(Unsupported) as refused:
        callback(level=level)

    assert json.loads(sweettracker.PROVIDER.success_response("id", refused.value.cause).body) == {
        "code": False,
        "message": "fail",
    }


def test_a_scan_is_answered_in_the_documented_words() -> None:
    answer = sweettracker.PROVIDER.success_response("id", "level.5")

    assert (answer.status, json.loads(answer.body)) == (
        200,
        json.loads(sample("sweettracker", "callback.RESPONSE.json")),
    )
    assert sweettracker.PROVIDER.refusals["invalid_signature"].status == 404


@pytest.mark.parametrize(
    ("code", "carrier"),
    [
        ("04", "cj"),
        ("4", "cj"),
        (4, "cj"),
        ("01", "epost"),
        ("05", "hanjin"),
        ("08", "lotte"),
        ("06", "logen"),
        ("23", "kdexp"),
        ("999", "sweettracker999"),
        ("", None),
        (None, None),
    ],
)
def test_its_numbers_are_our_carriers(code: Any, carrier: str | None) -> None:
    assert payload(comcode=code).carrier_code == carrier


@pytest.mark.parametrize(
    "time", ["2026-01-30 09:10:00", "20260130091000", "202601300910", "2026-01-30T09:10:00.0", "2026.01.30 09:10"]
)
def test_a_time_is_koreas_however_it_is_written(time: str) -> None:
    assert payload(time_trans=time).scanned_at == AT


@pytest.mark.parametrize(
    "time", ["택배사 처리시간", "2026-13-01 00:00:00", "2026", "1900-01-01 00:00:00", "\uff19" * 14]
)
def test_what_is_no_time_says_nothing(time: str) -> None:
    assert payload(time_trans=time).scanned_at is None


def test_without_a_time_a_scan_is_named_by_what_it_says() -> None:
    assert callback(time_trans="").provider_event_id is None
    assert ids.digest(payload(time_trans="")) != ids.digest(payload(time_trans="", level="6"))


@pytest.mark.parametrize("missing", ["invoice_no", "level"])
def test_what_is_missing_is_named(missing: str) -> None:
    with pytest.raises(InvalidField, match=missing):
        callback(**{missing: None})


@pytest.mark.parametrize("body", [b"", b"{", b"a", b"a b=1"])
def test_what_is_neither_form_nor_json_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        sweettracker.translate(received(body), "shipping")


@pytest.mark.parametrize("body", [b"level=5", b"invoice_no=1&level=5&level=6", b"invoice_no=%00&level=5", b"[]"])
def test_what_is_no_callback_is_unreadable(body: bytes) -> None:
    with pytest.raises(InvalidField):
        sweettracker.translate(received(body), "shipping")
