"""One parcel, told by everybody: one key, so that its scans stay in one order and make one domain event."""

import json
from collections.abc import Iterator

import pytest

from providers import catalogue
from providers.confirmation import confirmed_event
from providers.contract import Received
from providers.delivery_tracker import api
from providers.delivery_tracker import webhook as delivery_tracker
from providers.records import webhook_record
from stream.events import ShippingWebhook, UnconfirmedWebhook
from tests.payloads import sample
from tests.unit.providers.posted import NOW

NUMBER = "123456789012"


def bodies() -> Iterator[tuple[str, dict[str, object]]]:
    """The parcel in the words of each provider that says where it is."""
    yield "generic", {"orderId": 1, "status": "delivered", "carrier": "CJ대한통운", "trackingNumber": NUMBER}
    easypost = json.loads(sample("easypost", "tracker.updated.delivered.tracking-guide.json"))
    yield "easypost", {**easypost, "result": {**easypost["result"], "carrier": "CJLogistics", "tracking_code": NUMBER}}
    for slug in ("cj-korea-thai", "cjlogistics"):
        translation = {"tracking_number": NUMBER, "slug": slug, "tag": "Delivered"}
        yield "aftership", {"event": "tracking_update", "event_id": "1", "msg": translation}
    for number in ("1234-5678-9012", "1234 5678 9012", " 123456789012", "1234\u20105678\u30009012", 123456789012):
        yield "generic", {"orderId": 1, "status": "delivered", "carrier": "cj-logistics", "trackingNumber": number}
    yield "sweettracker", {"invoice_no": int(NUMBER), "comcode": 4, "level": 6}
    yield "sweettracker", {"invoice_no": NUMBER, "comcode": "04", "level": "6"}
    shippo = json.loads(sample("shippo", "track_updated.docs-example.json"))
    yield "shippo", {**shippo, "data": {**shippo["data"], "carrier": "cj_logistics", "tracking_number": NUMBER}}


@pytest.mark.parametrize(("name", "body"), list(bodies()))
def test_whoever_tells_of_a_parcel_tells_of_the_same(name: str, body: dict[str, object]) -> None:
    row = catalogue.BY_NAME[name]
    received = Received("/", {}, json.dumps(body).encode(), NOW)

    translation = row.translate(received, "shipping")

    assert webhook_record(row, received, "signature", translation, "test").key == f"cj:{NUMBER}"


@pytest.mark.parametrize("carrier", ["DHL", "dhl", "DHLExpress", "dhl_express", "de.dhl"])
@pytest.mark.parametrize("number", ["JD01 4600-0012", "jd0146000012"])
def test_its_number_is_compared_without_case_and_is_kept_as_it_was_sent(carrier: str, number: str) -> None:
    body = {"orderId": 1, "status": "delivered", "carrier": carrier, "trackingNumber": number}
    received = Received("/webhooks/shipping", {}, json.dumps(body).encode(), NOW)

    translation = catalogue.BY_NAME["generic"].translate(received, "shipping")
    addressed = webhook_record(catalogue.BY_NAME["generic"], received, "signature", translation, "test")

    assert addressed.key == "dhl:JD0146000012"
    assert isinstance(addressed.webhook, ShippingWebhook)
    assert (addressed.webhook.payload.carrier, addressed.webhook.payload.tracking_number) == (carrier, number)


def test_so_does_the_answer_to_a_verification_request() -> None:
    row = delivery_tracker.PROVIDER
    received = Received("/", {}, sample("delivery_tracker", "callback.composed.json"), NOW)
    requested = webhook_record(row, received, "shared_secret", row.translate(received, "shipping"), "test").webhook
    assert isinstance(requested, UnconfirmedWebhook)
    answer = sample("delivery_tracker", "answer.delivered.composed.json")

    event = confirmed_event(requested, api.read_response(requested.payload, received, answer), answer)

    assert (event.topic.name, event.key) == ("webhooks.shipping.v1", f"cj:{NUMBER}")
    assert (event.webhook.envelope.verification, event.webhook.envelope.verification_request_id) == (
        "confirmed",
        requested.envelope.event_id,
    )
