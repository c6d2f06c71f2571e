"""EasyPost: its published signature, its trackers, and what else it sends."""

import json
import unicodedata
from typing import Any

import pytest

from providers.contract import Forged, InvalidField, Received, Translation, Unsupported
from providers.easypost import webhook as easypost
from simulator import signing
from stream.events import Micros, ShippingPayload
from tests.payloads import sample
from tests.unit.providers.posted import NOW
from tests.unit.providers.vectors import vectors

DELIVERED = "tracker.updated.delivered.tracking-guide.json"
IN_TRANSIT = "tracker.updated.in_transit.client-library-fixture.raw"


def received(body: bytes, **headers: str) -> Received:
    return Received("/api/webhooks/easypost", headers, body, NOW)


def tracker(**changes: Any) -> Translation:
    """The delivered sample with some of its tracker's fields changed."""
    event = json.loads(sample("easypost", DELIVERED))
    event["result"] |= changes
    return easypost.translate(received(json.dumps(event).encode()), "shipping")


def payload(**changes: Any) -> ShippingPayload:
    translation = tracker(**changes).payload
    assert isinstance(translation, ShippingPayload)
    return translation


@pytest.mark.parametrize("vector", vectors("easypost"))
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_the_published_signature_proves_whichever_way_the_secret_is_typed(vector: dict[str, Any], form: Any) -> None:
    secret = unicodedata.normalize(form, vector["secret"]).encode()
    request = received(vector["body"], **{easypost.SIGNATURE: vector["X-Hmac-Signature"]})

    assert easypost.verify(request, [b"an older one", secret]) == "signature"
    assert signing.easypost(vector["body"], secret) == {"X-Hmac-Signature": vector["X-Hmac-Signature"]}


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header[:0],
        lambda header: header.removeprefix(easypost.SCHEME),
        lambda header: header[:-1],
        lambda header: header + "0",
        lambda header: header.replace("sha256", "sha512"),
        lambda header: "\xe9" + header,
    ],
)
def test_any_other_signature_proves_nothing(change: Any) -> None:
    header = signing.easypost(b"{}", b"s")["X-Hmac-Signature"]

    with pytest.raises(Forged):
        easypost.verify(received(b"{}", **{easypost.SIGNATURE: change(header)}), [b"s"])


def test_a_tracker_is_a_scan_of_its_parcel_in_the_mode_it_names() -> None:
    translation = easypost.translate(received(sample("easypost", DELIVERED)), "shipping")

    at = 1_416_394_314_000_000
    scan = ShippingPayload(
        order_id=None,
        alias="ups:EZ4000000004",
        status="delivered",
        carrier="UPS",
        carrier_code="ups",
        tracking_number="EZ4000000004",
        location="SAN FRANCISCO, CA, US",
        scanned_at=Micros(at),
    )
    assert translation == Translation(scan, "tracker.updated", Micros(at), "evt_...", "test")


def test_the_last_scan_of_the_status_says_when_and_where() -> None:
    translation = easypost.translate(received(sample("easypost", IN_TRANSIT)), "shipping")

    assert isinstance(translation.payload, ShippingPayload)
    assert (translation.payload.location, translation.payload.scanned_at) == ("EDISON, NJ, US", 1_722_624_600_000_000)
    assert (translation.mode, translation.provider_event_id) == ("live", "evt_1")


def test_without_a_scan_of_its_status_the_tracker_says_when() -> None:
    translation = payload(tracking_details=None, updated_at="2014-11-19T10:51:55Z")

    assert (translation.location, translation.scanned_at) == (None, 1_416_394_315_000_000)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("pre_transit", "preparing"),
        ("in_transit", "in_transit"),
        ("out_for_delivery", "out_for_delivery"),
        ("available_for_pickup", "out_for_delivery"),
        ("delivered", "delivered"),
        ("return_to_sender", "failed"),
        ("failure", "failed"),
        ("cancelled", "failed"),
    ],
)
def test_each_status_has_its_word(theirs: str, ours: str) -> None:
    assert payload(status=theirs).status == ours


@pytest.mark.parametrize("theirs", ["unknown", "error", "teleported"])
def test_a_status_that_says_nothing_of_the_parcel_moves_nothing(theirs: str) -> None:
    with pytest.raises(Unsupported, match=theirs):
        tracker(status=theirs)


@pytest.mark.parametrize(("spelled", "code"), [("CJLogistics", "cj"), ("USPS", "usps"), (None, None)])
def test_its_carriers_are_ours(spelled: str | None, code: str | None) -> None:
    assert payload(carrier=spelled).carrier_code == code


@pytest.mark.parametrize("name", ["batch.created.webhooks-guide.json", "batch.updated.batch-guide.json"])
def test_what_tells_of_no_parcel_is_not_for_us(name: str) -> None:
    with pytest.raises(Unsupported, match="batch"):
        easypost.translate(received(sample("easypost", name)), "shipping")


def test_a_tracker_event_without_its_tracker_is_unreadable() -> None:
    with pytest.raises(InvalidField, match="result is missing"):
        easypost.translate(received(sample("easypost", "event-object-without-result.json")), "shipping")


@pytest.mark.parametrize(
    "changes",
    [
        {"tracking_code": None},
        {"tracking_code": "1\n"},
        {"status": 1},
    ],
)
def test_a_field_that_is_not_what_it_must_be_is_named(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidField):
        tracker(**changes)
