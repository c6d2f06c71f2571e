"""What may follow what for parcels and refunds, and what is announced then."""

from collections import defaultdict
from itertools import permutations
from typing import Any

import pytest

from processors.refund import domain as refund
from processors.shipping import domain as shipping
from stream.events import (
    DomainEvent,
    PaymentCompleted,
    PaymentOverpaid,
    RefundCompleted,
    RefundMismatched,
    RefundRejected,
    ShipmentDelivered,
    ShipmentFailed,
    ShipmentInTransit,
    ShipmentOutForDelivery,
)
from stream.state.aliases import Alias
from tests.builders import MINUTE, NOON, ORDER, a_domain_event, a_refund, a_scan, an_approval, without_updates
from tests.working_sets import apply_to_refunds

Applied = tuple[Any, str, tuple[DomainEvent, ...]]


def scan(parcel: shipping.Shipment, webhook: Any) -> Applied:
    """A scan applied, without what it means for the order view."""
    after, outcome, events = shipping.apply(parcel, webhook)
    return after, outcome, without_updates(events)


def refunded(refunds: refund.Refunds, webhook: Any) -> Applied:
    after, outcome, events = apply_to_refunds(refunds, webhook)
    return after, outcome, without_updates(events)


def test_a_failed_attempt_may_be_followed_by_another_and_by_delivery() -> None:
    parcel = shipping.Shipment("cj:1")

    seen = []
    for minute, status in enumerate(["in_transit", "out_for_delivery", "failed", "out_for_delivery", "delivered"]):
        parcel, _, _ = scan(parcel, a_scan(status, at=NOON + minute * MINUTE))
        seen.append(parcel.status)

    assert seen == ["in_transit", "out_for_delivery", "failed", "out_for_delivery", "delivered"]


def test_a_scan_that_was_overtaken_moves_neither_status_nor_location() -> None:
    parcel, _, _ = scan(shipping.Shipment("cj:1"), a_scan("delivered", location="서울"))

    parcel, outcome, announced = scan(parcel, a_scan("in_transit", location="부산", at=NOON - MINUTE))

    assert (parcel.status, parcel.registers.last_location.value, outcome, announced) == (
        "delivered",
        "서울",
        "late",
        (),
    )


@pytest.mark.parametrize(
    ("status", "domain_event"),
    [
        ("preparing", None),
        ("in_transit", ShipmentInTransit),
        ("failed", ShipmentFailed),
        ("delivered", ShipmentDelivered),
    ],
)
def test_each_status_of_a_parcel_announces_its_domain_event(
    status: str, domain_event: type[DomainEvent] | None
) -> None:
    _, _, announced = scan(shipping.Shipment("cj:1"), a_scan(status))

    assert [type(one) for one in announced] == ([domain_event] if domain_event else [])


def test_a_parcel_in_transit_is_told_once_however_many_scans_it_has() -> None:
    parcel, _, first = scan(shipping.Shipment("cj:1"), a_scan("in_transit"))

    _, _, second = scan(parcel, a_scan("in_transit", at=NOON + MINUTE, location="대전"))

    assert (len(first), second) == (1, ())


RELEASE: dict[str, Any] = {"amount": 375, "currency": "USD", "provider": "stripe", "reported_by_payment": True}


def of_a_partial_capture() -> list[Any]:
    """20300 of 20675 was taken: the release of the rest has a refund of its own; later as much is truly given back."""
    paid = a_domain_event(
        PaymentCompleted, order="1", provider="stripe", amount=20300, currency="USD", method="card",
        transaction_id="pi_1", paid_at=NOON, released_amount=375,
    )  # fmt: skip
    released = a_refund("completed", refund_id="re_1", at=NOON, name="released", **RELEASE)
    given_back = a_refund("completed", refund_id="re_2", at=NOON + MINUTE, name="given back", **RELEASE)
    return [paid, released, given_back]


@pytest.mark.parametrize("events", list(permutations(of_a_partial_capture())), ids=lambda _: "")
def test_the_release_of_what_was_not_captured_is_no_refund_in_whatever_order(events: list[Any]) -> None:
    working_set = refund.RefundWorkingSet({ORDER: refund.Refunds(ORDER)}, defaultdict(Alias))

    domain_events = [
        domain_event for event in events for domain_event in without_updates(working_set.apply(event).events)
    ]

    refunds = working_set.refunds[ORDER]
    assert list(refunds.counted) == ["re_2"]
    assert (refunds.refunded_amount, refunds.status, domain_events) == (375, "completed", [])


def test_the_refunded_total_is_the_sum_over_completed_refunds() -> None:
    refunds = refund.Refunds(ORDER)

    for webhook in (
        a_refund("completed", refund_id="R-1", amount=10000),
        a_refund("completed", refund_id="R-2", amount=5000),
        a_refund("processing", refund_id="R-3", amount=700),
    ):
        refunds, _, _ = refunded(refunds, webhook)

    assert (refunds.refunded_amount, refunds.status) == (15000, "completed")


@pytest.mark.parametrize(("status", "domain_event"), [("completed", RefundCompleted), ("rejected", RefundRejected)])
def test_the_end_of_a_refund_is_announced(status: str, domain_event: type[DomainEvent]) -> None:
    _, _, announced = refunded(refund.Refunds(ORDER), a_refund(status))

    assert [type(one) for one in announced] == [domain_event]


def test_a_refund_under_way_is_nobodys_mail() -> None:
    _, _, announced = refunded(refund.Refunds(ORDER), a_refund("processing"))

    assert announced == ()


def test_a_refund_the_bank_sends_back_is_no_longer_given_back_and_that_is_told() -> None:
    given, _, _ = refunded(refund.Refunds(ORDER), a_refund("completed", amount=7000))

    back = a_refund("rejected", amount=7000, at=NOON + MINUTE, reason="lost_or_stolen_card")
    after, outcome, announced = refunded(given, back)

    assert (after.status, after.refunded_amount, outcome) == ("rejected", 0, "processed")
    assert [(type(one), one.reason) for one in announced] == [(RefundRejected, "lost_or_stolen_card")]  # type: ignore[attr-defined]


def test_a_refund_that_succeeds_after_all_does_not_give_the_reason_of_its_rejection() -> None:
    requested, _, _ = refunded(refund.Refunds(ORDER), a_refund("pending", reason="단순 변심"))
    rejected, _, published = refunded(requested, a_refund("rejected", at=NOON + MINUTE, reason="한도"))

    _, _, done = refunded(rejected, a_refund("completed", at=NOON + 2 * MINUTE))

    assert [one.reason for one in (*published, *done)] == ["한도", "단순 변심"]  # type: ignore[attr-defined]


def test_each_attempt_at_delivery_is_told_by_its_scan() -> None:
    statuses = ["in_transit", "out_for_delivery", "failed", "failed", "out_for_delivery", "failed", "delivered"]
    parcel, domain_events = shipping.Shipment("cj:1"), list[DomainEvent]()
    for minute, status in enumerate(statuses):
        for provider in ("aftership", "easypost"):  # both tell of each scan
            again = a_scan(status, at=NOON + minute * MINUTE, provider=provider)
            parcel, _, published = scan(parcel, again)
            domain_events += published

    assert [type(domain_event) for domain_event in domain_events] == [
        ShipmentInTransit,
        ShipmentOutForDelivery,
        ShipmentFailed,
        ShipmentFailed,
        ShipmentOutForDelivery,
        ShipmentFailed,
        ShipmentDelivered,
    ]
    assert len({domain_event.event_id for domain_event in domain_events}) == len(domain_events)


def test_an_attempt_that_was_overtaken_is_nobodys_mail() -> None:
    parcel, _, _ = scan(shipping.Shipment("cj:1"), a_scan("failed", at=NOON + MINUTE))

    _, outcome, published = scan(parcel, a_scan("failed"))

    assert (outcome, published) == ("late", ())


def test_a_parcel_was_not_scanned_when_a_status_it_left_says() -> None:
    parcel, _, _ = scan(shipping.Shipment("cj:1"), a_scan("delivered", scanned_at=None))

    parcel, _, _ = scan(parcel, a_scan("in_transit", at=NOON - MINUTE, scanned_at=NOON - MINUTE))

    assert parcel.updated_at is None


PAID = an_approval("1", provider="generic", amount=58000, currency="KRW", transaction_id="T-1")


@pytest.mark.parametrize(
    ("given_back", "reason"),
    [
        ({"amount": 99000}, "exceeds_payment"),
        ({"amount": 58000, "currency": "USD"}, "other_currency"),
        ({"amount": 58000, "provider": "stripe"}, "other_provider"),
    ],
)
@pytest.mark.parametrize("comes_first", [False, True])
def test_a_refund_that_does_not_fit_what_was_paid_is_kept_and_told_to_the_operator(
    given_back: dict[str, Any], reason: str, comes_first: bool
) -> None:
    back = a_refund("completed", at=NOON + MINUTE, **given_back)

    refunds, domain_events = story(*([back, PAID] if comes_first else [PAID, back]))

    assert (refunds.mismatches, refunds.refunded_amount, refunds.status) == ({"R-1": reason}, 0, None)
    (mismatch,) = [domain_event for domain_event in domain_events if isinstance(domain_event, RefundMismatched)]
    assert (mismatch.refund_id, mismatch.amount, mismatch.reason) == ("R-1", given_back["amount"], reason)
    assert (mismatch.paid_amount, mismatch.paid_currency) == (58000, "KRW")
    assert comes_first or not any(isinstance(domain_event, RefundCompleted) for domain_event in domain_events)


def test_of_refunds_that_are_too_much_together_the_later_one_is() -> None:
    parts = [a_refund("completed", at=NOON + n * MINUTE, amount=30000, refund_id=f"R-{n}") for n in (1, 2)]

    for events in permutations([PAID, *parts]):
        refunds, _ = story(*events)
        assert (refunds.mismatches, refunds.refunded_amount) == ({"R-2": "exceeds_payment"}, 30000)


def test_a_refund_that_waited_for_its_payment_is_told_when_that_comes() -> None:
    back = a_refund("completed", at=NOON + MINUTE, amount=90000)
    more = a_domain_event(
        PaymentOverpaid, provider="generic", amount=58000, currency="KRW", transaction_id="T-2", at=NOON + 2 * MINUTE
    )

    refunds, domain_events = story(PAID, back, more)

    assert (refunds.mismatches, refunds.refunded_amount) == ({}, 90000)
    assert [type(domain_event) for domain_event in domain_events] == [RefundMismatched, RefundCompleted]


@pytest.mark.parametrize("given_back", [{"amount": 99000}, {"currency": "USD"}, {"provider": "stripe"}])
def test_an_early_refund_that_does_not_fit_ends_in_the_same_rows_and_the_operator_is_told(
    given_back: dict[str, Any],
) -> None:
    back = a_refund("completed", at=NOON + MINUTE, **given_back)

    early, told_early = story(back, PAID)
    late, told_late = story(PAID, back)

    assert (early.counted, early.mismatches, early.refunded_amount, early.status) == (
        late.counted,
        late.mismatches,
        late.refunded_amount,
        late.status,
    )
    assert [type(domain_event) for domain_event in told_early] == [RefundCompleted, RefundMismatched]
    assert [type(domain_event) for domain_event in told_late] == [RefundMismatched]


def test_a_refund_of_an_order_of_which_no_payment_is_known_is_told_at_once() -> None:
    refunds, domain_events = story(a_refund("completed"))

    assert (refunds.refunded_amount, [type(domain_event) for domain_event in domain_events]) == (
        58000,
        [RefundCompleted],
    )


def test_a_second_reversal_of_a_refund_is_told_too() -> None:
    statuses = ["completed", "rejected", "completed", "rejected"]

    _, domain_events = story(*(a_refund(status, at=NOON + n * MINUTE) for n, status in enumerate(statuses)))

    assert [type(domain_event) for domain_event in domain_events] == [RefundCompleted, RefundRejected] * 2
    assert len({domain_event.event_id for domain_event in domain_events}) == 4


def test_what_the_payment_tells_of_is_not_told_by_the_refund() -> None:
    _, domain_events = story(
        *(a_refund(status, reported_by_payment=True) for status in ("pending", "completed", "rejected"))
    )

    assert domain_events == []


def test_a_rejected_refund_was_not_processed_when_it_was_completed() -> None:
    refunds, _ = story(a_refund("completed", refunded_at=NOON), a_refund("rejected", at=NOON + MINUTE))

    assert refunds.refunds["R-1"].processed_at is None


def story(*events: Any) -> tuple[refund.Refunds, list[DomainEvent]]:
    """The refunds of the order 1 after these events, and what is announced of them."""
    names = {
        (event.provider, event.transaction_id): Alias[refund.Refunds]() for event in events if is_domain_event(event)
    }
    working_set, domain_events = refund.RefundWorkingSet({ORDER: refund.Refunds(ORDER)}, names), list[DomainEvent]()
    for event in events:
        domain_events += without_updates(working_set.apply(event).events)
    return working_set.refunds[ORDER], domain_events


def is_domain_event(event: Any) -> bool:
    return isinstance(event, PaymentCompleted | PaymentOverpaid)
