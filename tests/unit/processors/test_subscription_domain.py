"""What a user's subscription is after which payments, and what is announced then."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from processors.subscription.domain import (
    Subscription,
    SubscriptionInput,
    a_month_after,
    apply,
    event_keys,
    order_without_plan,
    parse_order_id,
    plan_missing_event,
)
from runtime.clock import EPOCH
from stream.events import (
    AmountMismatched,
    DomainEvent,
    Micros,
    OrderId,
    PaymentFailed,
    SubscriptionActivated,
    SubscriptionCancelled,
)
from tests.builders import MINUTE, NOON, a_billing, a_cancel, a_domain_event, a_part_cancel, an_approval

KST = timezone(timedelta(hours=9))
JANUARY, FEBRUARY, MARCH = ("BIZ-123-PRO-20260103120000", "BIZ-123-PRO-20260203120000", "BIZ-123-TEAM-20260303")


def kst(*moment: int) -> int:
    """Microseconds since 1970 UTC of a moment in Korea."""
    return (datetime(*moment, tzinfo=KST) - EPOCH) // timedelta(microseconds=1)  # type: ignore[misc,arg-type]


def after(*events: SubscriptionInput) -> Subscription:
    return apply_all(*events)[0]


def apply_all(*events: SubscriptionInput) -> tuple[Subscription, list[DomainEvent]]:
    subscription, published = Subscription("123"), list[DomainEvent]()
    for event in events:
        subscription, _, new = apply(subscription, event)
        published += new
    return subscription, published


@pytest.mark.parametrize(
    ("order_id", "expected"),
    [
        ("BIZ-123-PRO-20260203120000", ("123", "pro", kst(2026, 2, 3, 12))),
        ("BIZ-123-PRO-20260203", ("123", "pro", kst(2026, 2, 3))),
        ("BIZ-a-b-c-TEAM_2-20260203", ("a-b-c", "team_2", kst(2026, 2, 3))),
        ("BIZ-김민수-Pro-20260203", ("김민수", "pro", kst(2026, 2, 3))),
        ("BIZ-123-PRO-20269999", ("123", "pro", None)),
        ("BIZ-123-PRO-99990101", ("123", "pro", None)),
        ("BIZ--1-PRO-20260203", ("-1", "pro", kst(2026, 2, 3))),
    ],
)
def test_an_order_names_its_user_and_plan(order_id: OrderId, expected: tuple[str, str, int | None]) -> None:
    ordered = parse_order_id(order_id)

    assert ordered is not None
    assert (ordered.user_id, ordered.plan, ordered.at) == expected


@pytest.mark.parametrize(
    "order_id",
    [
        None,
        "",
        "123",
        "TXN_20250827_001",
        "BIZ-123-20260203",
        "BIZ-PRO-20260203",
        "BIZ--PRO-20260203",
        "BIZ-123-PRO-2026020",
        "BIZ-123-PRO-202602031200",
        "BIZ-123-PRO-٢٠٢٦٠٢٠٣",
        "BIZ-123-PRO-20260203\n",
        "biz-123-PRO-20260203",
        "XBIZ-123-PRO-20260203",
        "BIZ-123-PRÖ-20260203",
    ],
)
def test_any_other_order_names_no_plan(order_id: OrderId | None) -> None:
    assert parse_order_id(order_id) is None


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (kst(2026, 2, 3, 12), kst(2026, 3, 3, 12)),
        (kst(2026, 1, 31, 0, 30), kst(2026, 2, 28, 0, 30)),
        (kst(2028, 1, 31), kst(2028, 2, 29)),
        (kst(2026, 12, 31, 23, 59), kst(2027, 1, 31, 23, 59)),
        (kst(2026, 3, 1, 8), kst(2026, 4, 1, 8)),  # still February in UTC
    ],
)
def test_a_month_is_one_of_the_korean_calendar(start: int, end: int) -> None:
    assert a_month_after(Micros(start)) == end


def test_nobody_subscribes_to_the_free_plan_by_doing_nothing() -> None:
    nothing = Subscription("123")

    assert (nothing.plan, nothing.status, nothing.started_at, nothing.ends_at) == ("free", "inactive", None, None)


def test_an_approval_activates_the_plan_for_a_month() -> None:
    subscription, published = apply_all(an_approval(FEBRUARY, paid_at=kst(2026, 2, 3, 12, 1)))

    assert (subscription.plan, subscription.status) == ("pro", "active")
    assert (subscription.started_at, subscription.ends_at) == (kst(2026, 2, 3, 12, 1), kst(2026, 3, 3, 12, 1))
    assert subscription.next_billing_at == subscription.ends_at
    (event,) = published
    assert isinstance(event, SubscriptionActivated)
    assert (event.order_id, event.customer_id, event.plan) == (FEBRUARY, "123", "pro")
    assert (event.started_at, event.ends_at) == (subscription.started_at, subscription.ends_at)


@pytest.mark.parametrize(("at", "began"), [(NOON, NOON), (None, NOON + MINUTE)])
def test_an_approval_without_a_time_of_its_own_is_of_when_it_was_told(at: int | None, began: int) -> None:
    assert after(an_approval(FEBRUARY, at=at)).started_at == began


def test_a_cancel_ends_the_subscription_there_and_then() -> None:
    approval = an_approval(FEBRUARY, paid_at=kst(2026, 2, 3, 12))

    subscription, published = apply_all(
        approval, a_cancel(FEBRUARY, cancelled_at=kst(2026, 2, 10), refunded_amount=9900)
    )

    assert (subscription.plan, subscription.status) == ("pro", "cancelled")
    assert (subscription.ends_at, subscription.next_billing_at) == (kst(2026, 2, 10), None)
    assert [type(event) for event in published] == [SubscriptionActivated, SubscriptionCancelled]


def test_a_part_cancel_keeps_the_plan() -> None:
    subscription, published = apply_all(an_approval(FEBRUARY), a_part_cancel(FEBRUARY))

    assert subscription.status == "active"
    assert [type(event) for event in published] == [SubscriptionActivated]


def test_the_cancel_of_an_older_order_does_not_end_a_newer_subscription() -> None:
    subscription, published = apply_all(
        an_approval(JANUARY, at=kst(2026, 1, 3)), an_approval(MARCH, at=kst(2026, 3, 3)), a_cancel(JANUARY)
    )

    assert (subscription.status, subscription.plan, subscription.last_order_id) == ("active", "team", MARCH)
    assert [type(event) for event in published] == [SubscriptionActivated, SubscriptionActivated]


def test_a_newer_order_begins_anew_after_a_cancel() -> None:
    subscription, published = apply_all(
        an_approval(JANUARY, at=kst(2026, 1, 3)),
        a_cancel(JANUARY, at=kst(2026, 1, 5)),
        an_approval(FEBRUARY, at=kst(2026, 2, 3)),
    )

    assert (subscription.status, subscription.last_order_id) == ("active", FEBRUARY)
    assert len({event.event_id for event in published}) == len(published) == 3


def test_an_older_approval_that_comes_late_changes_nothing() -> None:
    newer = after(an_approval(FEBRUARY, at=kst(2026, 2, 3)))

    subscription, outcome, published = apply(newer, an_approval(JANUARY, at=kst(2026, 1, 3)))

    assert (subscription.last_order_id, outcome, published) == (FEBRUARY, "late", ())


def test_an_order_cancelled_before_it_was_paid_ends_nothing() -> None:
    subscription, published = apply_all(an_approval(JANUARY), a_cancel(FEBRUARY, at=NOON + MINUTE))

    assert (subscription.status, subscription.last_order_id) == ("active", JANUARY)
    assert len(published) == 1


def test_money_given_back_shows_that_an_overtaken_approval_was_there() -> None:
    cancelled, published = apply_all(a_cancel(FEBRUARY, refunded_amount=9900))
    stored = after(a_part_cancel(FEBRUARY))

    assert (cancelled.status, cancelled.started_at) == ("cancelled", kst(2026, 2, 3, 12))
    assert [type(event) for event in published] == [SubscriptionCancelled]
    assert (stored.status, stored.started_at) == ("active", kst(2026, 2, 3, 12))


def test_the_next_billing_is_what_the_provider_said_last() -> None:
    subscription = after(
        an_approval(FEBRUARY, at=kst(2026, 2, 3)),
        a_billing(FEBRUARY, at=kst(2026, 2, 4), next_billing_at=kst(2026, 3, 1)),
        a_billing(FEBRUARY, at=kst(2026, 2, 6), next_billing_at=kst(2026, 3, 2)),
        a_billing(FEBRUARY, at=kst(2026, 2, 5), next_billing_at=kst(2026, 3, 5)),
    )

    assert subscription.next_billing_at == kst(2026, 3, 2)


def test_the_next_billing_may_be_told_of_the_order_that_is_to_be_charged() -> None:
    scheduled = a_billing(MARCH, at=kst(2026, 2, 4), next_billing_at=kst(2026, 3, 3))

    before = after(an_approval(FEBRUARY, at=kst(2026, 2, 3)), scheduled)
    charged = after(an_approval(FEBRUARY, at=kst(2026, 2, 3)), scheduled, an_approval(MARCH, at=kst(2026, 3, 3, 12)))

    assert (before.plan, before.next_billing_at) == ("pro", kst(2026, 3, 3))
    assert (charged.plan, charged.next_billing_at) == ("team", kst(2026, 4, 3, 12))


def test_a_billing_without_a_date_is_at_the_end() -> None:
    subscription = after(an_approval(FEBRUARY), a_billing(FEBRUARY))

    assert subscription.next_billing_at == subscription.ends_at


def test_a_payment_without_a_plan_is_reported_when_it_should_have_one() -> None:
    assert order_without_plan(an_approval("ORDER-1")) == "ORDER-1"
    assert order_without_plan(an_approval(FEBRUARY)) is None
    assert order_without_plan(an_approval("ORDER-1", provider="stripe")) is None


@pytest.mark.parametrize("kind", [PaymentFailed, AmountMismatched])
def test_what_concerns_no_subscription_is_not_reported(kind: type[DomainEvent]) -> None:
    fields: dict[type[DomainEvent], dict[str, Any]] = {
        PaymentFailed: {"provider": "tosspayments", "amount": 1, "currency": "KRW", "transaction_id": None}
        | {"reason": None},
        AmountMismatched: {"amount": 1, "currency": "KRW", "expected_amount": 2, "expected_currency": "KRW"}
        | {"transaction_id": None},
    }

    assert order_without_plan(a_domain_event(kind, order="ORDER-1", **fields[kind])) is None


def test_the_report_of_an_order_has_one_id_whatever_it_is_caused_by() -> None:
    first, second = (
        plan_missing_event(OrderId("ORDER-1"), event) for event in (an_approval("ORDER-1"), a_cancel("ORDER-1"))
    )

    assert first.event_id == second.event_id


def test_nothing_is_true_of_who_never_paid() -> None:
    assert event_keys(after(a_billing(FEBRUARY, next_billing_at=NOON))) == ()


def test_a_plan_whose_refund_failed_is_active_again_and_that_is_told_again() -> None:
    approved = an_approval(JANUARY, paid_at=NOON)
    cancelled = a_cancel(JANUARY, at=NOON + MINUTE, refunded_amount=9900)
    restored = an_approval(JANUARY, at=NOON + 2 * MINUTE, paid_at=NOON, reason="refund_failed")

    subscription, published = apply_all(approved, cancelled, restored)

    assert (subscription.status, subscription.cancelled_at, subscription.started_at) == ("active", None, NOON)
    assert [type(event) for event in published] == [SubscriptionActivated, SubscriptionCancelled, SubscriptionActivated]
    assert len({event.event_id for event in published}) == 3
    assert after(restored, cancelled, approved) == subscription
