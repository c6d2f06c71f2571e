"""What may follow what for parcels and refunds, and what is announced then."""

import pytest

from processors.refund import domain as refund
from processors.shipping import domain as shipping
from stream.events import Fact, RefundCompleted, RefundRejected, ShipmentDelivered, ShipmentFailed, ShipmentInTransit
from tests.builders import MINUTE, NOON, a_refund, a_scan


def test_a_failed_attempt_may_be_followed_by_another_and_by_delivery() -> None:
    parcel = shipping.Shipment("cj:1")

    seen = []
    for minute, status in enumerate(["in_transit", "out_for_delivery", "failed", "out_for_delivery", "delivered"]):
        parcel, _, _ = shipping.apply(parcel, a_scan(status, at=NOON + minute * MINUTE))
        seen.append(parcel.status)

    assert seen == ["in_transit", "out_for_delivery", "failed", "out_for_delivery", "delivered"]


def test_a_scan_that_was_overtaken_moves_neither_status_nor_location() -> None:
    parcel, _, _ = shipping.apply(shipping.Shipment("cj:1"), a_scan("delivered", location="서울"))

    parcel, outcome, announced = shipping.apply(parcel, a_scan("in_transit", location="부산", at=NOON - MINUTE))

    assert (parcel.status, parcel.told["last_location"][1], outcome, announced) == ("delivered", "서울", "late", ())


@pytest.mark.parametrize(
    ("status", "fact"),
    [
        ("preparing", None),
        ("in_transit", ShipmentInTransit),
        ("failed", ShipmentFailed),
        ("delivered", ShipmentDelivered),
    ],
)
def test_each_status_of_a_parcel_announces_its_fact(status: str, fact: type[Fact] | None) -> None:
    _, _, announced = shipping.apply(shipping.Shipment("cj:1"), a_scan(status))

    assert [type(one) for one in announced] == ([fact] if fact else [])


def test_a_parcel_in_transit_is_told_once_however_many_scans_it_has() -> None:
    parcel, _, first = shipping.apply(shipping.Shipment("cj:1"), a_scan("in_transit"))

    _, _, second = shipping.apply(parcel, a_scan("in_transit", at=NOON + MINUTE, location="대전"))

    assert (len(first), second) == (1, ())


def test_the_refunded_total_is_the_sum_over_completed_refunds() -> None:
    refunds = refund.Refunds("1")

    for webhook in (
        a_refund("completed", refund_id="R-1", amount=10000),
        a_refund("completed", refund_id="R-2", amount=5000),
        a_refund("processing", refund_id="R-3", amount=700),
    ):
        refunds, _, _ = refund.apply(refunds, webhook)

    assert (refunds.refunded_amount, refunds.status) == (15000, "completed")


@pytest.mark.parametrize(("status", "fact"), [("completed", RefundCompleted), ("rejected", RefundRejected)])
def test_the_end_of_a_refund_is_announced(status: str, fact: type[Fact]) -> None:
    _, _, announced = refund.apply(refund.Refunds("1"), a_refund(status))

    assert [type(one) for one in announced] == [fact]


def test_a_refund_under_way_is_nobodys_mail() -> None:
    _, _, announced = refund.apply(refund.Refunds("1"), a_refund("processing"))

    assert announced == ()


def test_a_refund_the_bank_sends_back_is_no_longer_given_back_and_that_is_told() -> None:
    given, _, _ = refund.apply(refund.Refunds("1"), a_refund("completed", amount=7000))

    back = a_refund("rejected", amount=7000, at=NOON + MINUTE, reason="lost_or_stolen_card")
    after, outcome, announced = refund.apply(given, back)

    assert (after.status, after.refunded_amount, outcome) == ("rejected", 0, "processed")
    assert [(type(one), one.reason) for one in announced] == [(RefundRejected, "lost_or_stolen_card")]  # type: ignore[attr-defined]


def test_a_refund_that_succeeds_after_all_does_not_give_the_reason_of_its_rejection() -> None:
    asked, _, _ = refund.apply(refund.Refunds("1"), a_refund("pending", reason="단순 변심"))
    rejected, _, told = refund.apply(asked, a_refund("rejected", at=NOON + MINUTE, reason="한도"))

    _, _, done = refund.apply(rejected, a_refund("completed", at=NOON + 2 * MINUTE))

    assert [one.reason for one in (*told, *done)] == ["한도", "단순 변심"]  # type: ignore[attr-defined]
