"""AfterShip: its signature, its trackings, and whose order one is."""

import json
from typing import Any

import pytest

from providers.aftership import webhook as aftership
from providers.contract import Forged, InvalidField, Received, Translation, Unsupported
from simulator import signing
from stream.events import Micros, OrderId, ShippingPayload
from tests.payloads import sample
from tests.unit.providers.posted import NOW
from tests.unit.providers.vectors import vectors

SAMPLE = "tracking_update.InTransit.docs-2026-07-trimmed.json"
TOLD_AT = 1_712_741_696_000_000


def received(body: bytes, **headers: str) -> Received:
    return Received("/api/webhooks/aftership", headers, body, NOW)


def payload(**changes: Any) -> ShippingPayload:
    """The sample with some of its tracking's fields changed."""
    event = json.loads(sample("aftership", SAMPLE))
    event["msg"] = {**event["msg"], "order_number": None, **changes}
    translation = aftership.translate(received(json.dumps(event).encode()), "shipping").payload
    assert isinstance(translation, ShippingPayload)
    return translation


@pytest.mark.parametrize("vector", vectors("aftership"))
def test_the_signature_of_the_recipe_proves(vector: dict[str, Any]) -> None:
    request = received(vector["body"], **{aftership.SIGNATURE: vector[aftership.SIGNATURE]})

    assert aftership.verify(request, [b"an older one", vector["secret"].encode()]) == "signature"
    assert signing.aftership(vector["body"], vector["secret"].encode()) == {
        aftership.SIGNATURE: vector[aftership.SIGNATURE]
    }


@pytest.mark.parametrize("header", ["", "x", "\xe9", "lower"])
def test_any_other_signature_proves_nothing(header: str) -> None:
    right = signing.aftership(b"{}", b"s")[aftership.SIGNATURE]
    given = right.lower() if header == "lower" else header

    with pytest.raises(Forged):
        aftership.verify(received(b"{}", **{aftership.SIGNATURE: given}), [b"s"])


def test_a_tracking_is_a_scan_of_its_parcel_for_the_order_it_names() -> None:
    translation = aftership.translate(received(sample("aftership", SAMPLE)), "shipping")

    scan = ShippingPayload(
        order_id=OrderId("string"),
        alias="usps:0000000000000000",
        status="in_transit",
        carrier="usps",
        carrier_code="usps",
        tracking_number="0000000000000000",
        scanned_at=Micros(TOLD_AT),
    )
    assert translation == Translation(scan, "tracking_update", Micros(TOLD_AT), "94dadd60-ed26-46d0-aa52-3ced925a50ff")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("Pending", "preparing"),
        ("InfoReceived", "preparing"),
        ("InTransit", "in_transit"),
        ("OutForDelivery", "out_for_delivery"),
        ("AvailableForPickup", "out_for_delivery"),
        ("Delivered", "delivered"),
        ("AttemptFail", "failed"),
        ("Exception", "failed"),
        ("Expired", "failed"),
    ],
)
def test_each_tag_has_its_word(theirs: str, ours: str) -> None:
    assert payload(tag=theirs).status == ours


@pytest.mark.parametrize(
    ("changes", "order"),
    [
        ({"order_id": "123", "order_number": "#9"}, "123"),
        ({"order_id": 123}, "123"),
        ({"order_id": "gid://shop/Order/1", "order_number": "#1001"}, "gid://shop/Order/1"),
        ({"order_id": "a\nb", "order_number": "#1001"}, "#1001"),
        ({"order_id": "", "order_number": "1001"}, "1001"),
        ({"custom_fields": {"order_id": "A-7"}}, "A-7"),
        ({"custom_fields": {"order": "A-7"}}, None),
        ({"custom_fields": None}, None),
        ({"order_number": "order\u2028of Kim"}, None),
        ({"order_id": True, "order_number": ["1"], "custom_fields": {"order_id": {}}}, None),
        ({}, None),
    ],
)
def test_the_order_is_the_first_name_that_can_be_one(changes: dict[str, Any], order: str | None) -> None:
    assert payload(**changes).order_id == order


@pytest.mark.parametrize(("slug", "code"), [("cj-korea-thai", "cj"), ("cjlogistics", "cj"), ("kr-post", "epost")])
def test_its_carriers_are_ours(slug: str, code: str) -> None:
    assert payload(slug=slug).carrier_code == code


@pytest.mark.parametrize(
    ("time", "at"),
    [
        ("2024-04-10T18:30:00+09:00", 1_712_741_400_000_000),
        ("2024-04-10T18:30:00", TOLD_AT),
        ("2024-04-10", TOLD_AT),
        ("", TOLD_AT),
        (None, TOLD_AT),
    ],
)
def test_a_time_without_a_zone_is_no_instant_and_aftership_says_when(time: str | None, at: int) -> None:
    scan = {"tag": "InTransit", "checkpoint_time": time, "city": "서울", "country_name": "KOR"}

    translation = payload(checkpoints=[{"tag": "Delivered", "city": "부산"}, scan])

    assert (translation.scanned_at, translation.location) == (at, "서울, KOR")


@pytest.mark.parametrize("event", ["edd_revise", "tracking_pending_time", "news"])
def test_what_moves_no_parcel_is_not_for_us(event: str) -> None:
    body = json.dumps({"event": event, "event_id": "1", "msg": 7}).encode()

    with pytest.raises(Unsupported, match=event):
        aftership.translate(received(body), "shipping")


def test_a_tag_nobody_knows_is_not_for_us() -> None:
    with pytest.raises(Unsupported, match="Teleported"):
        payload(tag="Teleported")


def test_a_tracking_without_a_tag_is_unreadable() -> None:
    with pytest.raises(InvalidField, match="tag"):
        aftership.translate(received(sample("aftership", "tracking_update.docs-legacy-TRUNCATED.json")), "shipping")
