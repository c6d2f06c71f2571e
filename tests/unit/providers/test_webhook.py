"""The record of a verified webhook: whatever is posted again gets the same id, whatever differs another."""

from typing import Any

import pytest

from providers import catalogue
from providers.addressing import KeyedWebhook
from providers.contract import Received
from providers.records import webhook_record
from stream.events import Micros, Mode, topics
from tests.unit.providers.posted import NOW, a_payment, posted

SAID: dict[str, dict[str, Any]] = {
    "/webhooks/payment": {"orderId": 1, "status": "completed"},
    "/webhooks/shipping": {
        "orderId": 1,
        "status": "delivered",
        "carrier": "CJ대한통운",
        "trackingNumber": "123456789012",
    },
    "/webhooks/refund": {"orderId": 1, "refundId": "R-1", "status": "completed"},
    "/webhooks/order": {"orderId": 1, "customerId": 7},
    "/webhooks/customer": {"customerId": 7, "email": "kim@example.test"},
}
ROUTES = {
    "/webhooks/payment": (topics.PAYMENT_WEBHOOKS, "1"),
    "/webhooks/shipping": (topics.SHIPPING_WEBHOOKS, "cj:123456789012"),
    "/webhooks/refund": (topics.REFUND_WEBHOOKS, "1"),
    "/webhooks/order": (topics.ORDERS, "1"),
    "/webhooks/customer": (topics.CUSTOMERS, "7"),
}


def made(received: Received, mode: Mode = "live") -> KeyedWebhook:
    provider, kind = catalogue.BY_PATH[received.path]
    return webhook_record(provider, received, "signature", provider.translate(received, kind), mode)


def id_of(received: Received, mode: Mode = "live") -> str:
    return made(received, mode).webhook.envelope.event_id


@pytest.mark.parametrize("path", SAID)
def test_a_webhook_goes_to_its_topic_keyed_by_what_must_stay_in_order(path: str) -> None:
    addressed = made(posted(SAID[path], path=path))

    assert (addressed.topic, addressed.key) == ROUTES[path]
    assert isinstance(addressed.webhook, addressed.topic.records)


def test_scans_without_a_tracking_number_stay_in_the_order_of_their_order() -> None:
    addressed = made(posted({"orderId": 1, "status": "preparing"}, path="/webhooks/shipping"))

    assert addressed.key == "1"


def test_the_envelope_holds_all_that_verifying_again_needs() -> None:
    received = posted(a_payment(), idempotency_key="k-1", user_agent="curl", cookie="secret")

    record = made(received, "test").webhook

    envelope = record.envelope
    assert envelope.headers == {
        "x-webhook-signature": received.headers["x-webhook-signature"],
        "idempotency-key": "k-1",
    }
    assert (envelope.raw, envelope.path, envelope.received_at) == (received.body, "/webhooks/payment", NOW)
    assert (envelope.provider, envelope.mode, envelope.verification) == ("generic", "test", "signature")
    assert (envelope.event_type, envelope.provider_event_id) == ("payment.completed", "k-1")


def test_the_same_webhook_posted_later_has_the_same_id() -> None:
    received = posted(a_payment(amount=1))
    later = Received(received.path, received.headers, received.body, Micros(NOW + 1))

    assert id_of(later) == id_of(received)


@pytest.mark.parametrize(
    "alike",
    [
        b'{"status":"completed","orderId":"1"}',
        b'{ "orderId" : 1, "status": "completed" }',
        b'{"orderId":"1","status":"completed","paymentMethod":null,"new":5}',
        b'{"orderId":"1","status":"completed","type":"payment"}',
    ],
)
def test_what_says_the_same_in_other_bytes_has_the_same_id(alike: bytes) -> None:
    assert id_of(posted(alike)) == id_of(posted(a_payment()))


@pytest.mark.parametrize(
    "other",
    [{"orderId": "2"}, {"status": "failed"}, {"amount": 1}, {"transactionId": "T"}, {"paidAt": "2023-11-15T10:30:00Z"}],
)
def test_what_says_something_else_has_another_id(other: dict[str, Any]) -> None:
    assert id_of(posted(a_payment(**other))) != id_of(posted(a_payment()))


@pytest.mark.parametrize("path", SAID)
def test_a_key_nobody_signs_makes_no_event_and_hides_none(path: str) -> None:
    unnamed = posted(SAID[path], path=path)
    named = [posted(SAID[path], path=path, idempotency_key=key) for key in ("k", "another")]

    # A body replayed under another key is the same event, which an attacker cannot count twice.
    assert {id_of(received) for received in named} == {id_of(unnamed)}
    assert [made(received).webhook.envelope.provider_event_id for received in named] == ["k", "another"]


def test_two_bodies_under_one_key_are_two_events_that_share_its_name() -> None:
    first = made(posted(a_payment(amount=1), idempotency_key="k")).webhook.envelope
    again = made(posted(a_payment(amount=2), idempotency_key="k")).webhook.envelope

    assert first.event_id != again.event_id
    assert first.provider_event_id == again.provider_event_id == "k"


def test_other_modes_and_providers_are_other_events() -> None:
    order = posted(SAID["/webhooks/order"], path="/webhooks/order", idempotency_key="k")
    payment = posted(a_payment(), idempotency_key="k")

    assert len({id_of(order), id_of(payment), id_of(payment, "test")}) == 3


def test_one_key_on_every_path_is_an_event_each() -> None:
    assert len({id_of(posted(SAID[path], path=path, idempotency_key="k")) for path in SAID}) == len(SAID)
