"""A dispute: opened with its deadline, settled once, beside the payment, whatever order its webhooks come in."""

from itertools import permutations
from typing import Any

import pytest

from processors.payment.domain import Payment, PaymentWorkingSet, dispute, statuses
from stream.events import DisputeClosed, DisputeOpened, DisputeWebhook, DomainEvent, OrderWebhook, PaymentWebhook
from stream.state.aliases import Alias
from tests.builders import MINUTE, NOON, ORDER, a_dispute, a_payment, an_envelope
from tests.working_sets import apply_to_payment

DUE = NOON + 7 * 24 * 60 * MINUTE
Told = PaymentWebhook | DisputeWebhook | OrderWebhook


def apply_all(*webhooks: Told) -> tuple[Payment, list[DomainEvent]]:
    payment, events = Payment(ORDER), list[DomainEvent]()
    for webhook in webhooks:
        payment, _, new = apply_to_payment(payment, webhook)
        events += new
    return payment, events


def of_disputes(events: list[DomainEvent]) -> list[tuple[type[DomainEvent], str]]:
    return [(type(event), event.status) for event in events if isinstance(event, DisputeOpened | DisputeClosed)]


def test_an_opened_dispute_is_told_with_its_reason_amount_and_deadline() -> None:
    _, events = apply_all(a_payment(), a_dispute("needs_response", evidence_due_by=DUE, transaction_id="pi_1"))

    opened = events[-1]
    assert isinstance(opened, DisputeOpened)
    assert (opened.order_id, opened.dispute_id, opened.provider) == ("1", "dp_1", "stripe")
    assert (opened.reason, opened.amount, opened.currency) == ("fraudulent", 58000, "KRW")
    assert (opened.evidence_due_by, opened.status, opened.transaction_id) == (DUE, "needs_response", "pi_1")


@pytest.mark.parametrize("verdict", statuses.SETTLED)
def test_it_is_settled_once_and_leaves_the_payment_what_it_was(verdict: str) -> None:
    payment, events = apply_all(
        a_payment(),
        a_dispute("needs_response"),
        a_dispute("under_review", at=NOON + MINUTE),
        a_dispute(verdict, at=NOON + 2 * MINUTE),
        a_dispute(verdict, at=NOON + 3 * MINUTE, name="again"),
    )

    assert of_disputes(events) == [(DisputeOpened, "needs_response"), (DisputeClosed, verdict)]
    assert (payment.status, payment.refunded_amount) == ("completed", 0)
    assert dispute.charged_back(payment) == (58000 if verdict == "lost" else 0)


def test_every_order_and_repetition_of_a_disputes_life_ends_alike() -> None:
    life: list[Told] = [
        a_payment(),
        a_dispute("warning_needs_response", evidence_due_by=DUE),
        a_dispute("needs_response", at=NOON + MINUTE, evidence_due_by=DUE),
        a_dispute("needs_response", at=NOON + MINUTE, name="funds", funds="withdrawn"),
        a_dispute("under_review", at=NOON + 2 * MINUTE),
        a_dispute("won", at=NOON + 3 * MINUTE),
        a_dispute("won", at=NOON + 3 * MINUTE, name="back", funds="reinstated"),
    ]
    in_order, _ = apply_all(*life)

    for disordered in permutations(life):
        payment, _ = apply_all(*disordered)
        assert payment == in_order
    assert in_order.disputes["dp_1"].funds.value == "reinstated"


def test_what_comes_after_the_verdict_is_late_and_told_to_nobody() -> None:
    payment, _ = apply_all(a_payment(), a_dispute("lost", at=NOON + MINUTE))

    after, outcome, events = apply_to_payment(payment, a_dispute("needs_response", evidence_due_by=DUE))

    assert (outcome, events) == ("late", ())
    assert after.disputes["dp_1"].status.value == "lost"


def test_an_inquiry_that_becomes_a_dispute_is_told_again_and_so_is_another_deadline() -> None:
    _, events = apply_all(
        a_dispute("warning_needs_response", evidence_due_by=DUE),
        a_dispute("needs_response", at=NOON + MINUTE, evidence_due_by=DUE),
        a_dispute("needs_response", at=NOON + 2 * MINUTE, evidence_due_by=DUE, funds="withdrawn"),
        a_dispute("needs_response", at=NOON + 3 * MINUTE, evidence_due_by=DUE + MINUTE),
        a_dispute("under_review", at=NOON + 4 * MINUTE),
    )

    assert [(event.status, event.evidence_due_by) for event in events] == [  # type: ignore[attr-defined]
        ("warning_needs_response", DUE),
        ("needs_response", DUE),
        ("needs_response", DUE + MINUTE),
    ]
    assert len({event.event_id for event in events}) == 3


def test_a_verdict_that_is_reversed_is_told_again() -> None:
    payment, events = apply_all(a_payment(), a_dispute("won"), a_dispute("lost", at=NOON + MINUTE))

    assert of_disputes(events) == [(DisputeClosed, "won"), (DisputeClosed, "lost")]
    assert dispute.charged_back(payment) == 58000


def test_several_disputes_stand_beside_each_other_and_the_most_urgent_is_shown() -> None:
    payment, _ = apply_all(
        a_payment(),
        a_dispute("lost", dispute_id="dp_1", amount=1000),
        a_dispute("needs_response", dispute_id="dp_2", amount=2000, evidence_due_by=DUE),
        a_dispute("needs_response", dispute_id="dp_3", amount=3000, evidence_due_by=DUE - MINUTE),
        a_dispute("lost", dispute_id="dp_4", amount=4000, at=NOON + MINUTE),
    )
    settled, _ = apply_all(a_dispute("lost"), a_dispute("won", dispute_id="dp_2", at=NOON + MINUTE))

    assert (dispute.shown(payment.disputes) or ("",))[0] == "dp_3"
    assert (dispute.shown(settled.disputes) or ("",))[0] == "dp_2"
    assert dispute.shown({}) is None
    assert dispute.charged_back(payment) == 5000


@pytest.mark.parametrize("first", ["dispute", "payment"])
def test_a_dispute_that_names_no_order_waits_for_the_payment_it_is_of(first: str) -> None:
    named: dict[str, Any] = {"order": None, "alias": "pi_1", "aliases": ("ch_1", "pi_1")}
    disputed = a_dispute("needs_response", evidence_due_by=DUE, transaction_id="pi_1", **named)
    payload = a_payment(transaction_id="pi_1", aliases=("pi_1",)).payload
    paid = PaymentWebhook(envelope=an_envelope(payload, provider="stripe"), payload=payload)
    working_set = PaymentWorkingSet({ORDER: Payment(ORDER)}, Names(), "optional")

    results = [working_set.apply(one) for one in ((disputed, paid) if first == "dispute" else (paid, disputed))]

    events = [event for result in results for event in result.events]
    opened = [event for event in events if isinstance(event, DisputeOpened)]
    orders = [None, "1"] if first == "dispute" else ["1"]
    assert [(event.order_id, event.transaction_id) for event in opened] == [(order, "pi_1") for order in orders]
    assert working_set.payments[ORDER].disputes["dp_1"].amount.value == 58000
    if first == "dispute":
        assert [result.outcome for result in results] == ["waiting", "processed"]
        assert results[1].released == (disputed.envelope.event_id,)


def test_the_life_of_a_dispute_whose_order_never_comes_is_told_once_by_the_providers_name() -> None:
    named: dict[str, Any] = {"order": None, "alias": "ch_1", "aliases": ("ch_1",), "transaction_id": "ch_1"}
    life = [
        a_dispute("warning_needs_response", evidence_due_by=DUE, **named),
        a_dispute("needs_response", at=NOON + MINUTE, evidence_due_by=DUE, **named),
        a_dispute("needs_response", at=NOON + MINUTE, name="funds", funds="withdrawn", **named),
        a_dispute("lost", at=NOON + 2 * MINUTE, **named),
        a_dispute("lost", at=NOON + 2 * MINUTE, name="again", **named),
    ]
    working_set = PaymentWorkingSet({}, Names(), "optional")

    results = [working_set.apply(webhook) for webhook in life]

    events = [event for result in results for event in result.events]
    assert {result.outcome for result in results} == {"waiting"}
    assert [(type(event), event.status, event.order_id, event.evidence_due_by) for event in events] == [  # type: ignore[attr-defined]
        (DisputeOpened, "warning_needs_response", None, DUE),
        (DisputeOpened, "needs_response", None, DUE),
        (DisputeClosed, "lost", None, DUE),
    ]
    assert len({event.event_id for event in events}) == 3


def test_the_same_dispute_under_two_names_of_its_payment_is_one_domain_event() -> None:
    by_charge = a_dispute("needs_response", order=None, alias="ch_1", aliases=("ch_1",))
    by_intent = a_dispute("needs_response", order=None, alias="pi_1", aliases=("ch_1", "pi_1"))
    working_set = PaymentWorkingSet({}, Names(), "optional")

    events = [event for webhook in (by_charge, by_intent) for event in working_set.apply(webhook).events]

    assert len({event.event_id for event in events}) == 1


def test_a_dispute_of_a_payment_that_is_not_known_yet_claims_no_status_for_it() -> None:
    payment, events = apply_all(a_dispute("needs_response"))

    assert (payment.status, payment.version, payment.stated.provider.value) == (None, 1, None)
    assert of_disputes(events) == [(DisputeOpened, "needs_response")]


class Names(dict[tuple[str, str], Alias[Any]]):
    def __missing__(self, name: tuple[str, str]) -> Alias[Any]:
        self[name] = Alias()
        return self[name]
