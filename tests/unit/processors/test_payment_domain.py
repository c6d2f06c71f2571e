"""What may follow what for a payment, and what is announced then."""

from itertools import permutations
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from processors.payment.domain import OrdersPolicy, Payment, PaymentWorkingSet
from processors.payment.domain.statuses import TRANSITIONS
from processors.refund.domain import Refunds
from stream.events import (
    AmountMismatched,
    Cancel,
    DepositAwaited,
    DepositReversed,
    DomainEvent,
    OrderWebhook,
    PaymentCancelled,
    PaymentCompleted,
    PaymentFailed,
    PaymentOverpaid,
    PaymentRefunded,
    PaymentWebhook,
    RefundMismatched,
    RefundRequested,
    RefundWebhook,
    ids,
)
from stream.state.aliases import Alias
from tests.builders import MINUTE, NOON, ORDER, a_payment, a_refund, an_order, without_updates
from tests.working_sets import apply_to_payment, apply_to_refunds


def apply(
    payment: Payment, webhook: Any, orders: OrdersPolicy = "optional"
) -> tuple[Payment, str, tuple[DomainEvent, ...]]:
    """A webhook applied, without what it means for the order view."""
    after, outcome, events = apply_to_payment(payment, webhook, orders)
    return after, outcome, without_updates(events)


RANK = {status: rank for rank, tier in enumerate(TRANSITIONS) for status in tier}


@pytest.mark.parametrize("first", RANK)
@pytest.mark.parametrize("second", RANK)
def test_a_later_webhook_moves_a_payment_on_and_never_back(first: str, second: str) -> None:
    before, _, _ = apply(Payment(ORDER), a_payment(first, at=NOON))

    after, outcome, _ = apply(before, a_payment(second, at=NOON + MINUTE))

    moves = RANK[second] >= RANK[first]
    assert (after.status, outcome) == ((second, "processed") if moves else (first, "late"))


@pytest.mark.parametrize(
    ("status", "event"),
    [
        ("completed", PaymentCompleted),
        ("failed", PaymentFailed),
        ("cancelled", PaymentCancelled),
        ("pending", None),
        ("expired", None),
        ("waiting_for_deposit", DepositAwaited),
    ],
)
def test_each_status_announces_its_domain_event(status: str, event: type[DomainEvent] | None) -> None:
    _, _, announced = apply(Payment(ORDER), a_payment(status))

    assert [type(one) for one in announced] == ([event] if event else [])


def test_an_overtaken_webhook_is_late_and_nobody_is_told() -> None:
    completed, _, _ = apply(Payment(ORDER), a_payment("completed"))

    after, outcome, announced = apply(completed, a_payment("pending", at=NOON - MINUTE))

    assert (after.status, outcome, announced) == ("completed", "late", ())


def test_two_failed_attempts_with_different_cards_are_two_domain_events() -> None:
    first = a_payment("failed", transaction_id="TXN-1")
    second = a_payment("failed", transaction_id="TXN-2", at=NOON + MINUTE)

    events = published_by(first, second)

    assert [type(event) for event in events] == [PaymentFailed, PaymentFailed]
    assert events[0].event_id != events[1].event_id


def failed_attempt(charge: str | None, minute: int, name: str | None = None, *more: str) -> PaymentWebhook:
    names = tuple(sorted(filter(None, ("pi_1", charge, *more))))
    said: dict[str, Any] = {"transaction_id": "pi_1", "pg_transaction_id": charge, "aliases": names}
    return a_payment("failed", at=NOON + minute * MINUTE, name=name, provider="stripe", **said)


TRIES: list[tuple[list[PaymentWebhook], int]] = [
    ([failed_attempt("ch_1", 0), failed_attempt("ch_2", 5)], 2),
    ([failed_attempt("ch_1", 0), failed_attempt("ch_1", 1, "charge.failed")], 1),
    ([failed_attempt("ch_1", 0), failed_attempt("ch_2", 0)], 2),
    ([failed_attempt(None, 0), failed_attempt(None, 5)], 2),
    ([failed_attempt(None, 0), failed_attempt(None, 0, "again")], 1),
    ([failed_attempt(None, 0), failed_attempt("ch_1", 5)], 2),
    ([failed_attempt("ch_1", 0), failed_attempt(None, 1, "session", "cs_1")], 1),
    ([failed_attempt("ch_1", 0), failed_attempt("ch_2", 5), failed_attempt(None, 6, "session", "cs_1")], 2),
]


@pytest.mark.parametrize(("tries", "times"), TRIES)
def test_each_attempt_at_one_payment_that_fails_is_told_once_in_any_order(
    tries: list[PaymentWebhook], times: int
) -> None:
    for disordered in permutations(tries):
        events = published_by(*disordered)
        assert len({event.event_id for event in events if isinstance(event, PaymentFailed)}) == times
        assert published_by(*disordered, *disordered) == events


def test_the_first_failure_keeps_the_name_it_had_before_attempts_were_counted() -> None:
    (failed,) = published_by(failed_attempt("ch_1", 0))

    assert failed.event_id == ids.domain_event_id("PaymentFailed", "1", "pi_1")


def test_both_transactions_of_an_order_are_kept() -> None:
    payment, _, _ = apply(Payment(ORDER), a_payment("completed", transaction_id="TXN-1"))

    payment, _, _ = apply(payment, a_payment("completed", transaction_id="TXN-2", at=NOON + MINUTE))

    assert sorted(payment.transactions) == ["TXN-1", "TXN-2"]


def test_what_a_webhook_leaves_open_stays_as_it_was_told() -> None:
    pending = a_payment("pending", method="card", amount=58000)
    completed = a_payment("completed", method=None, amount=None, at=NOON + MINUTE)

    payment, _, _ = apply(Payment(ORDER), pending)
    payment, _, _ = apply(payment, completed)

    assert (payment.registers.method.value, payment.registers.amount.value) == ("card", 58000)


def test_a_wrong_amount_of_a_known_order_is_told_instead_of_the_success() -> None:
    events = published_by(an_order(amount=99000, currency="KRW"), a_payment("completed", amount=58000))

    assert [type(event) for event in events] == [AmountMismatched, RefundRequested]


def test_a_wrong_amount_is_told_when_the_order_comes_later() -> None:
    events = published_by(a_payment("completed", amount=58000), an_order(amount=99000, currency="KRW"))

    assert [type(event) for event in events] == [PaymentCompleted, AmountMismatched, RefundRequested]


def test_an_order_alone_makes_no_payment() -> None:
    payment, _, _ = apply(Payment(ORDER), an_order(amount=58000, currency="KRW"))

    assert (payment.version, payment.status) == (0, None)


def test_a_part_given_back_is_told_with_its_amount_once_however_it_is_told() -> None:
    entry = a_payment(
        "partially_cancelled", at=NOON + MINUTE, transaction_id="T", cancels=(Cancel(id="c1", amount=20000),)
    )
    total = a_payment("partially_cancelled", at=NOON + 2 * MINUTE, transaction_id="T", refunded_amount=20000)

    events = published_by(a_payment("completed", transaction_id="T"), entry, total)

    assert [type(event) for event in events] == [PaymentCompleted, PaymentRefunded]
    assert (events[1].amount, events[1].refunded_amount) == (20000, 20000)  # type: ignore[attr-defined]


def test_each_further_part_is_told_with_what_it_adds() -> None:
    parts = [
        a_payment("partially_cancelled", at=NOON + n * MINUTE, cancels=(Cancel(id=f"c{n}", amount=n * 1000),))
        for n in (1, 2)
    ]

    events = published_by(a_payment("completed"), *parts)

    assert [(event.amount, event.refunded_amount) for event in events if isinstance(event, PaymentRefunded)] == [
        (1000, 1000),
        (2000, 3000),
    ]


def test_a_cancel_of_what_was_never_paid_gives_nothing_back() -> None:
    (published,) = published_by(a_payment("cancelled", transaction_id="T", refunded_amount=0))

    assert isinstance(published, PaymentCancelled)
    assert (published.amount, published.refunded_amount) == (58000, None)


def test_parts_that_are_all_of_it_are_a_cancel() -> None:
    payment = Payment(ORDER)
    for n in (1, 2):
        published = a_payment("partially_cancelled", at=NOON + n, cancels=(Cancel(id=f"c{n}", amount=29000),))
        payment, _, events = apply(payment, published)

    assert (payment.status, payment.refunded_amount) == ("cancelled", 58000)
    assert [(type(event), event.refunded_amount) for event in events] == [(PaymentCancelled, 58000)]  # type: ignore[attr-defined]


def test_a_second_completed_transaction_is_told_as_overpaid_and_its_refund_requested() -> None:
    first = a_payment("completed", transaction_id="T1")
    second = a_payment("completed", transaction_id="T2", at=NOON + MINUTE, amount=58000)

    events = published_by(first, second)

    assert [type(event) for event in events] == [PaymentCompleted, PaymentOverpaid, RefundRequested]
    assert [(event.transaction_id, event.amount) for event in events[1:]] == [("T2", 58000)] * 2  # type: ignore[attr-defined]
    assert events[2].reason == "overpaid"  # type: ignore[attr-defined]


def test_an_overpaid_transaction_is_told_with_its_own_provider_so_that_its_refund_counts() -> None:
    """The first transaction pays the order, by another provider."""
    first = a_payment("completed", transaction_id="T1", provider="generic")
    second = a_payment("completed", transaction_id="T2", provider="kakaopay", at=NOON + MINUTE)
    back = a_refund("completed", provider="kakaopay", at=NOON + 2 * MINUTE)

    refunds = Refunds(ORDER)
    for event in published_by(first, second):
        refunds, *_ = apply_to_refunds(refunds, event)
    refunds, *_ = apply_to_refunds(refunds, back)

    assert (refunds.mismatches, refunds.refunded_amount) == ({}, 58000)


def test_what_is_paid_again_after_a_cancel_is_paid() -> None:
    payment = Payment(ORDER)
    story = [("completed", "T1"), ("cancelled", "T1"), ("completed", "T2")]
    for n, (status, transaction) in enumerate(story):
        payment, _, _ = apply(payment, a_payment(status, transaction_id=transaction, at=NOON + n * MINUTE))

    assert (payment.status, payment.extra_transactions) == ("completed", [])


def test_a_deposit_the_bank_took_back_is_awaited_again() -> None:
    awaited = a_payment("waiting_for_deposit", at=NOON)
    paid = a_payment("completed", at=NOON + MINUTE)
    reversed_ = a_payment("waiting_for_deposit", at=NOON + 2 * MINUTE)

    events = published_by(awaited, paid, reversed_)

    assert [type(event) for event in events] == [DepositAwaited, PaymentCompleted, DepositReversed]


def test_with_orders_required_a_success_is_told_only_once_the_amount_is_checked() -> None:
    payment, _, first = apply(Payment(ORDER), a_payment("completed"), "required")

    _, _, then = apply(payment, an_order(amount=58000, currency="KRW"), "required")

    assert (first, [type(event) for event in then]) == ((), [PaymentCompleted])


def test_a_webhook_that_names_no_order_waits_for_one_that_does() -> None:
    working_set = PaymentWorkingSet({ORDER: Payment(ORDER)}, {("generic", name): Alias() for name in ("pi_1", "cs_1")})
    failed = a_payment("failed", order=None, alias="pi_1", aliases=("pi_1",), at=NOON)
    paid = a_payment("completed", alias="cs_1", aliases=("cs_1", "pi_1"), at=NOON + MINUTE)

    waiting = working_set.apply(failed)
    result = working_set.apply(paid)

    assert (waiting.outcome, waiting.events) == ("waiting", ())
    assert (result.outcome, result.released) == ("processed", (failed.envelope.event_id,))
    assert [type(event) for event in without_updates(result.events)] == [PaymentCompleted]
    assert (working_set.payments[ORDER].status, working_set.payments[ORDER].version) == ("completed", 2)


def test_what_waited_is_told_when_its_order_is_known() -> None:
    working_set = PaymentWorkingSet({ORDER: Payment(ORDER)}, {("generic", "pi_1"): Alias()})
    working_set.apply(a_payment("failed", order=None, alias="pi_1", at=NOON + MINUTE, failure_reason="no money"))

    result = working_set.apply(a_payment("pending", alias="pi_1", at=NOON))

    assert [(type(event), event.reason) for event in without_updates(result.events)] == [(PaymentFailed, "no money")]  # type: ignore[attr-defined]


def published_by(*webhooks: PaymentWebhook | OrderWebhook) -> list[DomainEvent]:
    payment = Payment(ORDER)
    events: list[DomainEvent] = []
    for webhook in webhooks:
        payment, _, announced = apply(payment, webhook)
        events += announced
    return events


def test_the_transaction_of_the_right_amount_pays_the_order_and_only_the_wrong_one_is_given_back() -> None:
    order = an_order(amount=50000, currency="KRW")
    wrong = a_payment("completed", amount=30000, transaction_id="W")
    right = a_payment("completed", amount=50000, transaction_id="R", at=NOON + MINUTE)

    events = published_by(order, wrong, right)

    assert [event.transaction_id for event in events if isinstance(event, RefundRequested)] == ["W"]
    assert [event.transaction_id for event in events if isinstance(event, PaymentCompleted)] == ["R"]


def test_a_second_payment_of_another_amount_does_not_put_the_first_in_doubt() -> None:
    order = an_order(amount=50000, currency="KRW")
    right = a_payment("completed", amount=50000, transaction_id="R")
    wrong = a_payment("completed", amount=30000, transaction_id="W", at=NOON + MINUTE)

    events = published_by(order, right, wrong)

    assert [type(event) for event in events] == [PaymentCompleted, PaymentOverpaid, RefundRequested]


def test_an_attempt_that_was_given_up_tells_nothing_of_the_one_that_paid() -> None:
    ended = a_payment("cancelled", amount=99, transaction_id="A", refunded_amount=0)

    *_, published = published_by(ended, a_payment("completed", transaction_id="B", at=NOON + MINUTE))

    assert isinstance(published, PaymentCompleted)
    assert (published.amount, published.transaction_id) == (58000, "B")


def test_a_second_payment_given_back_whole_as_a_part_leaves_the_order_paid() -> None:
    payment = Payment(ORDER)
    for webhook in (
        a_payment("completed", transaction_id="A"),
        a_payment("completed", transaction_id="B", at=NOON + 1),
        a_payment("partially_cancelled", transaction_id="B", at=NOON + 2, cancels=(Cancel(id="c", amount=58000),)),
    ):
        payment, _, _ = apply(payment, webhook)

    assert (payment.status, payment.refunded_amount) == ("partially_cancelled", 58000)


STRIPE: dict[str, Any] = {
    "provider": "stripe",
    "transaction_id": "pi_1",
    "aliases": ("ch_1", "pi_1"),
    "currency": "USD",
}


def stripe_refund(status: str, amount: int, minute: int, refund_id: str = "re_1") -> RefundWebhook:
    return a_refund(
        status,
        at=NOON + minute * MINUTE,
        amount=amount,
        currency="USD",
        refund_id=refund_id,
        provider="stripe",
        aliases=("ch_1", "pi_1"),
        reported_by_payment=True,
    )


CHARGED = a_payment("completed", amount=2000, paid_at=NOON, **STRIPE)
REFUNDED = a_payment("cancelled", at=NOON + MINUTE, amount=2000, refunded_amount=2000, **STRIPE)
CHARGE_UPDATED = a_payment("completed", at=NOON + 2 * MINUTE, amount=2000, refunded_amount=0, **STRIPE)
REFUND_FAILED = stripe_refund("rejected", 2000, 2)


@pytest.mark.parametrize(
    "failure", [[CHARGE_UPDATED], [REFUND_FAILED], [CHARGE_UPDATED, REFUND_FAILED], [REFUND_FAILED, CHARGE_UPDATED]]
)
@pytest.mark.parametrize("known", [[], [stripe_refund("completed", 2000, 1)], [stripe_refund("pending", 2000, 1)]])
def test_a_payment_is_paid_again_when_its_refund_fails_and_that_is_told_once(
    failure: list[Any], known: list[Any]
) -> None:
    events, payment = story(CHARGED, REFUNDED, *known, *failure)

    assert (payment.status, payment.refunded_amount, payment.paid_at) == ("completed", 0, NOON)
    assert [type(event) for event in events] == [PaymentCompleted, PaymentCancelled, PaymentCompleted]
    assert [getattr(event, "reason", None) for event in events] == [None, None, "refund_failed"]
    assert len({event.event_id for event in events}) == len(events)


def test_of_two_part_refunds_the_one_that_failed_is_taken_back() -> None:
    parts = [
        a_payment("partially_cancelled", at=NOON + n * MINUTE, amount=2000, refunded_amount=total, **STRIPE)
        for n, total in ((1, 500), (2, 800))
    ]

    events, payment = story(CHARGED, *parts, stripe_refund("rejected", 300, 3, "re_2"))

    assert (payment.status, payment.refunded_amount) == ("partially_cancelled", 500)
    assert [type(event) for event in events] == [PaymentCompleted, PaymentRefunded, PaymentRefunded, PaymentCompleted]


def test_a_refund_after_one_that_failed_is_told_though_the_total_is_the_same() -> None:
    again = a_payment("cancelled", at=NOON + 5 * MINUTE, amount=2000, refunded_amount=2000, **STRIPE)

    events, payment = story(CHARGED, REFUNDED, REFUND_FAILED, again)

    assert (payment.status, payment.refunded_amount) == ("cancelled", 2000)
    assert [type(event) for event in events] == [PaymentCompleted, PaymentCancelled] * 2
    assert len({event.event_id for event in events}) == 4


def test_a_refund_that_only_its_own_webhooks_tell_of_is_given_back() -> None:
    _, payment = story(CHARGED, stripe_refund("completed", 500, 1))

    assert (payment.status, payment.refunded_amount) == ("partially_cancelled", 500)


@pytest.mark.parametrize("is_reversed", [False, True])
def test_the_refund_that_releases_what_was_not_captured_gives_nothing_back(is_reversed: bool) -> None:
    captured = a_payment("completed", amount=2000, released_amount=375, paid_at=NOON, **STRIPE)
    webhooks = [captured, stripe_refund("completed", 375, 0), stripe_refund("completed", 375, 1, "re_2")]

    _, released = story(*webhooks[:2])
    events, payment = story(*(reversed(webhooks) if is_reversed else webhooks))

    assert (released.status, released.refunded_amount) == ("completed", 0)
    assert (payment.status, payment.refunded_amount) == ("partially_cancelled", 375)
    assert [event.released_amount for event in events if isinstance(event, PaymentCompleted)] == [375]


def test_what_is_given_back_is_never_more_than_was_paid_and_the_operator_hears_of_more() -> None:
    paid = a_payment("completed", transaction_id="T")
    back = a_payment("partially_cancelled", transaction_id="T", at=NOON + 1, cancels=(Cancel(id="c", amount=99000),))

    events, payment = story(paid, back)

    assert (payment.status, payment.refunded_amount) == ("cancelled", 58000)
    mismatch = next(event for event in events if isinstance(event, RefundMismatched))
    assert (mismatch.amount, mismatch.paid_amount, mismatch.reason) == (99000, 58000, "exceeds_payment")


def test_each_deposit_is_told_and_each_that_the_bank_took_back() -> None:
    statuses = [
        "waiting_for_deposit",
        "completed",
        "waiting_for_deposit",
        "completed",
        "waiting_for_deposit",
        "completed",
    ]
    deposits = [a_payment(status, transaction_id="T", at=NOON + n * MINUTE) for n, status in enumerate(statuses)]

    events, payment = story(*deposits)

    assert payment.status == "completed"
    assert [type(event) for event in events] == [
        DepositAwaited,
        PaymentCompleted,
        DepositReversed,
        PaymentCompleted,
        DepositReversed,
        PaymentCompleted,
    ]
    assert len({event.event_id for event in events}) == len(events)


@given(st.permutations(range(5)))
def test_a_deposit_is_told_once_however_its_webhooks_are_disordered(order: list[int]) -> None:
    statuses = ["completed", "waiting_for_deposit", "completed", "waiting_for_deposit", "completed"]
    deposits = [a_payment(status, transaction_id="T", at=NOON + n * MINUTE) for n, status in enumerate(statuses)]

    events, _ = story(*(deposits[n] for n in order))

    published = {event.event_id for event in events if isinstance(event, PaymentCompleted)}
    assert 1 <= len(published) <= 3


def test_two_webhooks_of_one_deposit_are_one_payment() -> None:
    events, _ = story(
        a_payment("completed", transaction_id="T"), a_payment("completed", transaction_id="T", at=NOON + MINUTE)
    )

    assert [type(event) for event in events] == [PaymentCompleted]


def test_what_is_paid_again_after_a_cancel_is_told_again() -> None:
    events, _ = story(
        a_payment("completed", transaction_id="A"),
        a_payment("cancelled", transaction_id="A", at=NOON + MINUTE),
        a_payment("completed", transaction_id="B", at=NOON + 2 * MINUTE),
    )

    assert [type(event) for event in events] == [PaymentCompleted, PaymentCancelled, PaymentCompleted]
    assert events[0].event_id != events[2].event_id


FOREIGN = [
    pytest.param({"provider": "stripe", "transaction_id": "pi_9"}, "other_provider", id="another provider's"),
    pytest.param({"provider": "kakaopay"}, "other_provider", id="another provider's, without a name"),
    pytest.param({"provider": "toss", "transaction_id": "T-9"}, "other_transaction", id="another transaction's"),
    pytest.param(
        {"provider": "toss", "transaction_id": "T-1", "currency": "USD"}, "other_currency", id="another currency"
    ),
]


@pytest.mark.parametrize(("whose", "reason"), FOREIGN)
@pytest.mark.parametrize("comes_first", [False, True])
def test_a_cancel_of_what_the_order_was_not_paid_by_cancels_nothing(
    whose: dict[str, Any], reason: str, comes_first: bool
) -> None:
    paid = a_payment("completed", provider="toss", transaction_id="T-1", paid_at=NOON)
    cancel = a_payment("cancelled", at=NOON + MINUTE, amount=100, **whose)

    events, payment = story(*([cancel, paid] if comes_first else [paid, cancel]))

    assert (payment.status, payment.refunded_amount, payment.stated.amount.value) == ("completed", 0, 58000)
    assert (payment.stated.provider.value, payment.stated.transaction_id.value) == ("toss", "T-1")
    (mismatch,) = [event for event in events if isinstance(event, RefundMismatched)]
    assert (mismatch.reason, mismatch.provider, mismatch.amount) == (reason, whose["provider"], 100)
    assert comes_first or not any(isinstance(event, PaymentCancelled) for event in events)


def test_a_cancel_that_waited_counts_when_its_provider_was_paid() -> None:
    working_set = PaymentWorkingSet({ORDER: Payment(ORDER)}, {})
    working_set.apply(a_payment("completed", provider="toss", transaction_id="T-1"))

    cancel = a_payment("cancelled", provider="stripe", transaction_id="pi_9", at=NOON + 2 * MINUTE)
    waiting = working_set.apply(cancel)
    paid = working_set.apply(a_payment("completed", provider="stripe", transaction_id="pi_9", at=NOON + MINUTE))

    assert (waiting.outcome, paid.released) == ("waiting", (cancel.envelope.event_id,))
    payment = working_set.payments[ORDER]
    assert (payment.status, payment.live) == ("completed", ["T-1"])
    assert payment.transactions["pi_9"].status.value == "cancelled"


@pytest.mark.parametrize(
    "cancel",
    [
        a_payment("cancelled", at=NOON + MINUTE),
        a_payment("cancelled", at=None, transaction_id="T-1"),
        a_payment(
            "partially_cancelled", at=NOON + MINUTE, transaction_id="T-1", cancels=(Cancel(id="c", amount=58000),)
        ),
    ],
)
def test_a_cancel_of_the_orders_own_payment_is_one(cancel: PaymentWebhook) -> None:
    events, payment = story(a_payment("completed", transaction_id="T-1"), cancel)

    assert payment.status == "cancelled"
    assert [type(event) for event in events] == [PaymentCompleted, PaymentCancelled]


def test_an_attempt_given_up_beside_a_payment_is_nobodys_mail() -> None:
    events, payment = story(
        a_payment("completed", provider="toss", transaction_id="T-1"),
        a_payment("cancelled", provider="stripe", transaction_id="pi_1", at=NOON + MINUTE, refunded_amount=0),
    )

    assert (payment.status, [type(event) for event in events]) == ("completed", [PaymentCompleted])


def test_what_a_losing_event_says_is_not_said_of_the_payment() -> None:
    completed = a_payment("completed", transaction_id="T", amount=58000)
    failed = a_payment("failed", transaction_id="T", failure_reason="한도 초과", paid_at=NOON, at=NOON + MINUTE)

    for webhooks in ([completed, failed], [failed, completed]):
        _, payment = story(*webhooks)
        assert (payment.status, payment.failure_reason, payment.paid_at) == ("completed", None, None)


def test_a_deposit_that_was_taken_back_was_not_paid_at_any_time() -> None:
    paid = a_payment("completed", transaction_id="T", paid_at=NOON)
    _, back = story(paid, a_payment("waiting_for_deposit", transaction_id="T", at=NOON + MINUTE))
    _, again = story(
        paid,
        a_payment("waiting_for_deposit", transaction_id="T", at=NOON + MINUTE),
        a_payment("completed", transaction_id="T", at=NOON + 2 * MINUTE),
    )

    assert (back.status, back.paid_at) == ("waiting_for_deposit", None)
    assert (again.status, again.paid_at) == ("completed", None)


def test_an_expired_attempt_has_not_the_reason_of_one_that_failed() -> None:
    _, payment = story(a_payment("failed", failure_reason="한도 초과"), a_payment("expired", at=NOON + MINUTE))

    assert (payment.status, payment.failure_reason) == ("expired", None)


def test_another_transactions_amount_is_not_that_of_the_one_that_paid() -> None:
    failed = a_payment("failed", transaction_id="A", amount=99)
    _, payment = story(failed, a_payment("completed", transaction_id="B", amount=None, at=NOON + MINUTE))

    assert payment.stated.amount.value is None


@pytest.mark.parametrize(("asked", "events"), [(0, [PaymentCompleted]), (58000, [AmountMismatched])])
def test_a_payment_of_nothing_is_held_against_the_order_and_asks_for_nothing_back(
    asked: int, events: list[type[DomainEvent]]
) -> None:
    announced, payment = story(an_order(amount=asked, currency="KRW"), a_payment("completed", amount=0))

    assert [type(event) for event in announced] == events
    assert payment.mismatched == bool(asked)


def test_a_transaction_of_nothing_beside_a_payment_is_no_overpayment() -> None:
    events, payment = story(
        a_payment("completed", amount=0, transaction_id="A"),
        a_payment("completed", transaction_id="B", at=NOON + MINUTE),
    )

    assert (payment.live[0], payment.stated.amount.value) == ("B", 58000)
    assert [type(event) for event in events] == [PaymentCompleted]


def story(*webhooks: Any) -> tuple[list[DomainEvent], Payment]:
    """What is announced of the order 1 by these webhooks, and its payment after them."""
    payment, events = Payment(ORDER), list[DomainEvent]()
    for webhook in webhooks:
        payment, _, announced = apply(payment, webhook)
        events += announced
    return events, payment
