"""The audiences of events, and which events share one mail."""

from typing import Any

import msgspec
import pytest

from notifier.recipients import audiences, notification_id
from stream.events import DisputeClosed, DisputeOpened, DomainEvent, PaymentCompleted
from tests.builders import NOON

F = type[DomainEvent]


def an_event(kind: F, **fields: Any) -> DomainEvent:
    common = {"event_id": f"event of {fields.get('order_id')}", "caused_by": "w", "mode": "test", "received_at": NOON}
    empty = {field.name: None for field in msgspec.structs.fields(kind) if field.name not in common}
    return kind(**{**empty, **common, "provider": "stripe", "currency": "KRW", **fields})


def a_dispute(kind: F = DisputeOpened, order: str | None = None, **fields: Any) -> DomainEvent:
    return an_event(kind, order_id=order, **{"dispute_id": "dp_1", "status": "needs_response", **fields})


def email(event: DomainEvent, audience: Any = "operator") -> str:
    return notification_id(event, audience, "email")


@pytest.mark.parametrize(("amount", "expected"), [(0, ()), (1, ("customer", "seller")), (None, ("customer", "seller"))])
def test_a_payment_of_0_has_no_audience(amount: int | None, expected: tuple[str, ...]) -> None:
    assert audiences(an_event(PaymentCompleted, order_id="1", amount=amount)) == expected


@pytest.mark.parametrize("kind", [DisputeOpened, DisputeClosed])
def test_a_dispute_goes_to_the_operator_at_once_and_to_the_seller_when_its_order_is_known(kind: F) -> None:
    assert audiences(a_dispute(kind)) == ("operator",)
    assert audiences(a_dispute(kind, "1")) == ("operator", "seller")


@pytest.mark.parametrize("kind", [DisputeOpened, DisputeClosed])
def test_the_operator_gets_one_mail_about_a_dispute_whether_its_order_is_known_or_not(kind: F) -> None:
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
def test_each_stage_deadline_and_verdict_of_each_dispute_is_a_mail_of_its_own(other: DomainEvent) -> None:
    assert email(other) != email(a_dispute())
    assert email(a_dispute(DisputeClosed, status="won")) != email(a_dispute(DisputeClosed, status="lost"))


def test_a_dispute_under_review_is_the_same_mail_as_when_it_was_opened() -> None:
    assert email(a_dispute(status="under_review")) == email(a_dispute())
