"""Shippo: by signature or by token, its tracks, and whose order one is."""

import json
from typing import Any

import pytest

from providers.contract import Forged, InvalidField, Received, Stale, Translation, Unsupported
from providers.shippo import webhook as shippo
from simulator import signing
from stream.events import Micros, OrderId, ShippingPayload
from tests.payloads import sample
from tests.unit.providers.posted import NOW
from tests.unit.providers.vectors import vectors

SAMPLE = "track_updated.docs-example.json"
SECOND = 1_000_000


def received(body: bytes, signature: str | None = None, *, token: str | None = None, at: int = NOW) -> Received:
    headers = {} if signature is None else {shippo.SIGNATURE: signature}
    return Received("/api/webhooks/shippo", headers, body, Micros(at), token)


def track(*, test: bool | None = True, **changes: Any) -> Translation:
    """The sample with some of its fields changed."""
    event = json.loads(sample("shippo", SAMPLE))
    event["data"] |= changes
    event["test"] = test
    return shippo.translate(received(json.dumps(event).encode()), "shipping")


def payload(**changes: Any) -> ShippingPayload:
    translation = track(**changes).payload
    assert isinstance(translation, ShippingPayload)
    return translation


def status(word: str, substatus: str | None = None, **changes: Any) -> dict[str, Any]:
    return {"status": word, "substatus": {"code": substatus} if substatus else None, **changes}


@pytest.mark.parametrize("vector", vectors("shippo"))
def test_the_signature_of_the_recipe_proves(vector: dict[str, Any]) -> None:
    header, secret = vector["Shippo-Auth-Signature"], vector["secret"].encode()
    at = int(header[2:12]) * SECOND

    assert shippo.verify(received(vector["body"], header, at=at), [b"old", secret]) == "signature"
    assert signing.shippo(vector["body"], secret, at) == {"Shippo-Auth-Signature": header}


@pytest.mark.parametrize(
    "header", ["", "v1=", "t=,v1=", "t=1", f"t=x,v1={'0' * 64}", f"t=1,v1={'0' * 63}", f"t=1,v1={'0' * 64}", "\xe9"]
)
def test_a_signature_that_is_wrong_is_not_helped_by_a_token(header: str) -> None:
    with pytest.raises(Forged):
        shippo.verify(received(b"{}", header, token="s"), [b"s"])  # noqa: S106


def test_without_a_signature_a_token_proves_and_with_neither_nothing_does() -> None:
    assert shippo.verify(received(b"{}", token="s"), [b"old", b"s"]) == "shared_secret"  # noqa: S106
    with pytest.raises(Forged):
        shippo.verify(received(b"{}"), [b"s"])


@pytest.mark.parametrize("off", [-3600, 0, 3600])
def test_a_retry_within_the_hour_is_still_believed(off: int) -> None:
    header = signing.shippo(b"{}", b"s", NOW + off * SECOND)["Shippo-Auth-Signature"]

    assert shippo.verify(received(b"{}", header), [b"s"]) == "signature"


@pytest.mark.parametrize("off", [-3601, 3601, -(10**9)])
def test_what_was_signed_at_another_time_is_stale(off: int) -> None:
    header = signing.shippo(b"{}", b"s", NOW + off * SECOND)["Shippo-Auth-Signature"]

    with pytest.raises(Stale):
        shippo.verify(received(b"{}", header), [b"s"])


def test_a_track_is_a_scan_of_its_parcel_for_the_order_its_metadata_names() -> None:
    translation = shippo.translate(received(sample("shippo", SAMPLE)), "shipping")

    at = 1_469_232_000_000_000
    scan = ShippingPayload(
        order_id=OrderId("000123"),
        alias="usps:9205590164917312751089",
        status="delivered",
        carrier="usps",
        carrier_code="usps",
        tracking_number="9205590164917312751089",
        location="Las Vegas, NV, US",
        scanned_at=Micros(at),
    )
    event_id = "usps:9205590164917312751089\nstring\n2016-07-23T00:00:00Z\n000123"
    assert translation == Translation(scan, "track_updated", Micros(at), event_id, "test")


@pytest.mark.parametrize(("test", "mode"), [(True, "test"), (False, "live"), (None, None)])
def test_it_names_its_mode(test: bool | None, mode: str | None) -> None:
    assert track(test=test).mode == mode


@pytest.mark.parametrize(
    ("now", "ours"),
    [
        (status("PRE_TRANSIT", "information_received"), "preparing"),
        (status("TRANSIT"), "in_transit"),
        (status("TRANSIT", "package_arrived"), "in_transit"),
        (status("TRANSIT", "out_for_delivery"), "out_for_delivery"),
        (status("TRANSIT", "pickup_available"), "out_for_delivery"),
        (status("DELIVERED", "delivered"), "delivered"),
        (status("RETURNED"), "failed"),
        (status("FAILURE", "out_for_delivery"), "failed"),
    ],
)
def test_each_status_has_its_word(now: dict[str, Any], ours: str) -> None:
    assert payload(tracking_status=now).status == ours


@pytest.mark.parametrize("now", [None, status("UNKNOWN"), status("TELEPORTED"), status("UNKNOWN", "out_for_delivery")])
def test_a_status_that_says_nothing_of_the_parcel_moves_nothing(now: Any) -> None:
    with pytest.raises(Unsupported):
        track(tracking_status=now)


@pytest.mark.parametrize(
    ("metadata", "order"),
    [
        ("Order 000123", "000123"),
        ("order #123", "123"),
        ("Order#A-7", "A-7"),
        ("order_id=A-7", "A-7"),
        ("Order ID: seven", "seven"),
        ("orderId:7", "7"),
        (" order 7 ", "7"),
        ("order confirmed", None),
        ("Order 7 and 8", None),
        ("order 7,8", None),
        ("a gift, order 7", None),
        ("preorder 7", None),
        ("Orders 7", None),
        ("7", None),
        ("order_id=", None),
        ("", None),
        (None, None),
    ],
)
def test_metadata_names_an_order_only_where_it_can_mean_nothing_else(metadata: str | None, order: str | None) -> None:
    assert payload(metadata=metadata).order_id == order


def test_a_status_without_an_id_is_named_by_what_it_says() -> None:
    assert track(tracking_status=status("TRANSIT", status_date="2026-01-30T10:00:00Z")).provider_event_id is None
    assert track(tracking_status=status("TRANSIT", object_id="1")).provider_event_id is None
    assert track(tracking_status=status("TRANSIT", object_id="1", status_date=None)).provider_event_id is None


@pytest.mark.parametrize("event", ["transaction_created", "transaction_updated", "batch_created", "batch_purchased"])
def test_what_tells_of_no_parcel_is_not_for_us(event: str) -> None:
    with pytest.raises(Unsupported, match=event):
        shippo.translate(received(json.dumps({"event": event, "data": 7}).encode()), "shipping")


@pytest.mark.parametrize("body", [b"{}", b'{"event":"track_updated"}', b'{"event":"track_updated","data":{}}'])
def test_what_is_missing_is_named(body: bytes) -> None:
    with pytest.raises(InvalidField, match="missing"):
        shippo.translate(received(body), "shipping")
