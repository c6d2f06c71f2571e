"""When a payment has another status than the one that its webhooks state."""

from typing import Any

import pytest

from processors.payment.domain import Payment
from processors.payment.domain.status_rules import RULES, Rule
from processors.payment.domain.statuses import TRANSITIONS
from stream.events import PaymentStatus
from tests.builders import MINUTE, NOON, ORDER, a_payment, a_refund
from tests.working_sets import apply_to_payment

LATER, LAST = NOON + MINUTE, NOON + 2 * MINUTE
PAID = a_payment("completed", at=NOON, transaction_id="A")
PAYS_AGAIN = a_payment("completed", at=LAST, transaction_id="B")
AWAITED = a_payment("waiting_for_deposit", at=LATER, transaction_id="B")
CANCELLED = a_payment("cancelled", at=LATER, transaction_id="A", refunded_amount=58000)


def in_part(total: int, at: int) -> Any:
    return a_payment("partially_cancelled", at=at, transaction_id="A", refunded_amount=total)


def its_refund(status: str, amount: int, at: int = LATER) -> Any:
    return a_refund(status, at=at, amount=amount, aliases=("A",), reported_by_payment=True)


HISTORIES = {
    ("waiting_for_deposit", "awaits_second_payment"): ([PAID, AWAITED], "completed"),
    ("completed", "has_own_refunds"): ([PAID, its_refund("completed", 1000)], "partially_cancelled"),
    ("partially_cancelled", "has_failed_refund"): ([PAID, in_part(1000, LATER), in_part(0, LAST)], "completed"),
    ("partially_cancelled", "is_refunded"): ([PAID, in_part(58000, LATER)], "cancelled"),
    ("cancelled", "has_live_transaction"): ([PAID, CANCELLED, PAYS_AGAIN], "completed"),
    ("cancelled", "has_failed_refund"): ([PAID, CANCELLED, its_refund("rejected", 58000, LAST)], "completed"),
}
"""By stated status and condition of a rule: webhooks to which it applies, and the status that it gives."""


def after(webhooks: list[Any]) -> Payment:
    payment = Payment(ORDER)
    for webhook in webhooks:
        payment, _, _ = apply_to_payment(payment, webhook)
    return payment


@pytest.mark.parametrize(("stated", "rule"), [(stated, rule) for stated, rules in RULES.items() for rule in rules])
def test_each_rule_gives_its_status(stated: PaymentStatus, rule: Rule) -> None:
    holds, by_rule = rule
    webhooks, status = HISTORIES[stated, holds.__name__]

    payment = after(webhooks)

    assert payment.registers.status.value == stated
    assert (holds(payment), by_rule(payment), payment.status) == (True, status, status)


def test_a_refund_of_the_paying_transaction_counts_while_another_awaits_its_deposit() -> None:
    payment = after([PAID, its_refund("completed", 1000), AWAITED])

    assert payment.registers.status.value == "waiting_for_deposit"
    assert payment.status == "partially_cancelled"


@pytest.mark.parametrize("status", [status for tier in TRANSITIONS for status in tier])
def test_without_a_rule_that_applies_the_status_is_the_stated_one(status: PaymentStatus) -> None:
    payment = after([a_payment(status)])

    assert not [holds for holds, _ in RULES.get(status, ()) if holds(payment)]
    assert payment.status == status
