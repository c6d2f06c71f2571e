"""A parcel is followed before anybody knows whose it is, and told of as soon as somebody does."""

from itertools import permutations

import pytest

from processors.shipping import domain as shipping
from stream.events import DomainEvent, ShipmentDelivered, ShipmentFailed, ShipmentInTransit, ShippingWebhook, ids
from tests.builders import MINUTE, NOON, a_scan, without_updates

PARCEL = "cj:123456789012"


def after(*scans: ShippingWebhook) -> tuple[shipping.Shipment, list[DomainEvent]]:
    parcel, published = shipping.Shipment(PARCEL), list[DomainEvent]()
    for scan in scans:
        parcel, _, events = shipping.apply(parcel, scan)
        published += without_updates(events)
    return parcel, published


def easypost(status: str, minute: int = 0) -> ShippingWebhook:
    return a_scan(status, order=None, at=NOON + minute * MINUTE, provider="easypost")


def test_while_no_order_is_known_the_parcel_moves_and_nobody_is_told() -> None:
    parcel, published = after(easypost("in_transit"), easypost("out_for_delivery", 1))

    assert (parcel.status, parcel.order_id, published) == ("out_for_delivery", None, [])


def test_what_is_true_when_the_order_becomes_known_is_told_and_not_what_was() -> None:
    _, published = after(easypost("in_transit"), easypost("delivered", 1), a_scan("preparing", order="7"))

    assert [(type(event), event.order_id) for event in published] == [(ShipmentDelivered, "7")]


def test_a_late_scan_may_bring_the_order() -> None:
    parcel, _ = after(easypost("delivered", 9))

    parcel, outcome, published = shipping.apply(parcel, a_scan("in_transit", order="7"))

    assert (parcel.status, outcome, [type(event) for event in published]) == ("delivered", "late", [ShipmentDelivered])


def test_an_order_named_while_nothing_has_moved_is_nobodys_news() -> None:
    _, published = after(easypost("preparing"), a_scan("preparing", order="7"), easypost("in_transit", 1))

    assert [(type(event), event.order_id) for event in published] == [(ShipmentInTransit, "7")]


def test_two_providers_that_tell_the_same_make_one_domain_event_by_the_parcel() -> None:
    _, published = after(a_scan("delivered", order="7"), easypost("delivered", 1), a_scan("delivered", order="7"))

    assert [event.event_id for event in published] == [ids.domain_event_id("ShipmentDelivered", PARCEL)]


@pytest.mark.parametrize(
    "scans", list(permutations([easypost("failed", 2), easypost("out_for_delivery", 1), easypost("delivered", 3)]))
)
def test_a_failed_attempt_is_no_end_and_delivery_is(scans: tuple[ShippingWebhook, ...]) -> None:
    parcel, _ = after(*scans, easypost("failed", 9))

    assert parcel.status == "delivered"


@pytest.mark.parametrize(("failed_at", "status"), [(1, "out_for_delivery"), (3, "failed")])
def test_a_failed_attempt_and_the_next_go_by_the_providers_time(failed_at: int, status: str) -> None:
    scans = easypost("failed", failed_at), easypost("out_for_delivery", 2)

    assert {after(*order)[0].status for order in permutations(scans)} == {status}


@pytest.mark.parametrize("order", [0, 1])
def test_the_shops_own_word_on_whose_parcel_it_is_weighs_more(order: int) -> None:
    guess = a_scan("delivered", order="#1001", at=NOON + MINUTE, provider="aftership")
    word = a_scan("preparing", order="7")

    parcel, _ = after(*((guess, word) if order else (word, guess)))

    assert (parcel.order_id, parcel.status) == ("7", "delivered")


def test_a_failure_is_told_to_the_order_named_meanwhile() -> None:
    _, published = after(easypost("failed"), a_scan("in_transit", order="7"))

    assert [type(event) for event in published] == [ShipmentFailed]
