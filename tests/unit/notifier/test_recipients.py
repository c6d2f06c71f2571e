"""Who is told what, and what is one message."""

from typing import Any

import msgspec
import pytest

from notifier.recipients import audiences, message_id
from stream.events import DisputeClosed, DisputeOpened, DomainEvent, PaymentCompleted
from tests.builders import NOON

F = type[DomainEvent]


def a_fact(kind: F, **said: Any) -> DomainEvent:
    common = {"event_id": f"fact of {said.get('order_id')}", "caused_by": "w", "mode": "test", "received_at": NOON}
    told = {field.name: None for field in msgspec.structs.fields(kind) if field.name not in common}
    return kind(**{**told, **common, "provider": "stripe", "currency": "KRW", **said})


def a_dispute(kind: F = DisputeOpened, order: str | None = None, **said: Any) -> DomainEvent:
    return a_fact(kind, order_id=order, **{"dispute_id": "dp_1", "status": "needs_response", **said})


def email(fact: DomainEvent, audience: Any = "operator") -> str:
    return message_id(fact, audience, "email")


@pytest.mark.parametrize(("amount", "told"), [(0, ()), (1, ("customer", "seller")), (None, ("customer", "seller"))])
def test_nobody_is_thanked_for_a_payment_of_nothing(amount: int | None, told: tuple[str, ...]) -> None:
    assert audiences(a_fact(PaymentCompleted, order_id="1", amount=amount)) == told


@pytest.mark.parametrize("kind", [DisputeOpened, DisputeClosed])
def test_a_dispute_is_told_to_the_operator_at_once_and_to_the_seller_when_its_order_is_known(kind: F) -> None:
    assert audiences(a_dispute(kind)) == ("operator",)
    assert audiences(a_dispute(kind, "1")) == ("operator", "seller")


@pytest.mark.parametrize("kind", [DisputeOpened, DisputeClosed])
def test_the_operator_is_told_of_a_dispute_once_whether_its_order_is_known_or_not(kind: F) -> None:
    before, after = a_dispute(kind), a_dispute(kind, "1")

    assert before.event_id != after.event_id
    assert email(before) == email(after)
    assert email(after, "seller") != email(after)


@pytest.mark.parametrize(
    "other",
    [
        a_dispute(dispute_id="dp_2"),
        a_dispute(provider="other"),
        a_dispute(status="warning_needs_response"),
        a_dispute(evidence_due_by=NOON),
        a_dispute(DisputeClosed, status="won"),
        a_dispute(DisputeClosed, status="lost"),
    ],
)
def test_each_stage_deadline_and_verdict_of_each_dispute_is_a_message_of_its_own(other: DomainEvent) -> None:
    assert email(other) != email(a_dispute())
    assert email(a_dispute(DisputeClosed, status="won")) != email(a_dispute(DisputeClosed, status="lost"))


def test_an_open_dispute_that_is_looked_at_is_no_other_message() -> None:
    assert email(a_dispute(status="under_review")) == email(a_dispute())
