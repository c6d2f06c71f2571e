"""What may follow what for a payment, and what is announced then."""

import pytest

from processors.payment.domain import TRANSITIONS, Payment, apply
from stream.events import (
    AmountMismatched,
    Fact,
    OrderWebhook,
    PaymentCancelled,
    PaymentCompleted,
    PaymentFailed,
    PaymentWebhook,
    RefundRequested,
)
from tests.builders import MINUTE, NOON, a_payment, an_order

RANK = {status: rank for rank, tier in enumerate(TRANSITIONS) for status in tier}


@pytest.mark.parametrize("first", RANK)
@pytest.mark.parametrize("second", RANK)
def test_a_later_webhook_moves_a_payment_on_and_never_back(first: str, second: str) -> None:
    before, _, _ = apply(Payment("1"), a_payment(first, at=NOON))

    after, outcome, _ = apply(before, a_payment(second, at=NOON + MINUTE))

    moves = RANK[second] >= RANK[first]
    assert (after.status, outcome) == ((second, "processed") if moves else (first, "late"))


@pytest.mark.parametrize(
    ("status", "fact"),
    [
        ("completed", PaymentCompleted),
        ("failed", PaymentFailed),
        ("cancelled", PaymentCancelled),
        ("pending", None),
        ("expired", None),
        ("waiting_for_deposit", None),
    ],
)
def test_each_status_announces_its_fact(status: str, fact: type[Fact] | None) -> None:
    _, _, announced = apply(Payment("1"), a_payment(status))

    assert [type(one) for one in announced] == ([fact] if fact else [])


def test_an_overtaken_webhook_is_late_and_nobody_is_told() -> None:
    completed, _, _ = apply(Payment("1"), a_payment("completed"))

    after, outcome, announced = apply(completed, a_payment("pending", at=NOON - MINUTE))

    assert (after.status, outcome, announced) == ("completed", "late", ())


def test_two_failed_attempts_with_different_cards_are_two_facts() -> None:
    first = a_payment("failed", transaction_id="TXN-1")
    second = a_payment("failed", transaction_id="TXN-2", at=NOON + MINUTE)

    facts = announced_by(first, second)

    assert [type(fact) for fact in facts] == [PaymentFailed, PaymentFailed]
    assert facts[0].event_id != facts[1].event_id


def test_both_transactions_of_an_order_are_kept() -> None:
    payment, _, _ = apply(Payment("1"), a_payment("completed", transaction_id="TXN-1"))

    payment, _, _ = apply(payment, a_payment("completed", transaction_id="TXN-2", at=NOON + MINUTE))

    assert sorted(payment.transactions) == ["TXN-1", "TXN-2"]


def test_what_a_webhook_leaves_open_stays_as_it_was_told() -> None:
    pending = a_payment("pending", method="card", amount=58000)
    completed = a_payment("completed", method=None, amount=None, at=NOON + MINUTE)

    payment, _, _ = apply(Payment("1"), pending)
    payment, _, _ = apply(payment, completed)

    assert (payment.told["method"][1], payment.told["amount"][1]) == ("card", 58000)


def test_a_wrong_amount_of_a_known_order_is_told_instead_of_the_success() -> None:
    facts = announced_by(an_order(amount=99000, currency="KRW"), a_payment("completed", amount=58000))

    assert [type(fact) for fact in facts] == [AmountMismatched, RefundRequested]


def test_a_wrong_amount_is_told_when_the_order_comes_later() -> None:
    facts = announced_by(a_payment("completed", amount=58000), an_order(amount=99000, currency="KRW"))

    assert [type(fact) for fact in facts] == [PaymentCompleted, AmountMismatched, RefundRequested]


def test_an_order_alone_makes_no_payment() -> None:
    payment, _, _ = apply(Payment("1"), an_order(amount=58000, currency="KRW"))

    assert (payment.version, payment.status) == (0, None)


def announced_by(*webhooks: PaymentWebhook | OrderWebhook) -> list[Fact]:
    payment = Payment("1")
    facts: list[Fact] = []
    for webhook in webhooks:
        payment, _, announced = apply(payment, webhook)
        facts += announced
    return facts
