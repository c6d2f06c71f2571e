"""Every permutation and duplication of an order's webhooks ends in the same state, and tells the same in the end."""

from collections.abc import Callable, Sequence
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from processors.invoice.domain import Invoice, InvoiceWorkingSet, Transfer, event_types
from processors.invoice.domain import statuses as invoice_statuses
from processors.payment import domain as payment
from processors.payment.domain import dispute
from processors.payment.domain import statuses as payment_statuses
from processors.refund import domain as refund
from processors.refund.domain import statuses as refund_statuses
from processors.shipping import domain as shipping
from processors.shipping.domain import statuses as shipping_statuses
from processors.subscription import domain as subscription
from stream.events import Cancel, CreditAdded, DomainEvent
from tests.builders import (
    MINUTE,
    NOON,
    ORDER,
    a_billing,
    a_cancel,
    a_dispute,
    a_part_cancel,
    a_payment,
    a_refund,
    a_scan,
    a_transfer,
    an_approval,
    an_invoice,
    an_order,
    without_updates,
)
from tests.log import CODEC
from tests.working_sets import apply_to_payment, apply_to_refunds

Apply = Callable[[Any, Any], tuple[Any, str, tuple[DomainEvent, ...]]]

TIMES = st.sampled_from([None, NOON, NOON + MINUTE, NOON + 2 * MINUTE])
AMOUNTS = st.sampled_from([None, 0, 1000, 58000])
CASH = st.sampled_from([None, 1000, 58000])
WORDS = st.sampled_from([None, "a", "b"])


def statuses(table: Sequence[Sequence[str]]) -> st.SearchStrategy[str]:
    return st.sampled_from([status for tier in table for status in tier])


PAYMENTS = st.builds(
    a_payment,
    statuses(payment_statuses.TRANSITIONS),
    at=TIMES,
    amount=AMOUNTS,
    method=WORDS,
    transaction_id=WORDS,
    failure_reason=WORDS,
    cancels=st.sampled_from([(), (Cancel(id="c1", amount=1000),), (Cancel(id="c2", amount=57000, cancelled_at=NOON),)]),
    refunded_amount=st.sampled_from([None, 0, 1000, 58000]),
    paid_at=st.sampled_from([None, NOON]),
    provider=st.sampled_from(["generic", "stripe"]),
    currency=st.sampled_from(["KRW", "USD"]),
)
GIVEN_BACK = st.builds(
    a_refund,
    statuses(refund_statuses.TRANSITIONS),
    at=TIMES,
    amount=AMOUNTS,
    refund_id=st.sampled_from(["R-1", "R-2"]),
    aliases=st.sampled_from([(), ("a",), ("c", "b")]),
    reported_by_payment=st.sampled_from([True]),
)
DISPUTES = st.builds(
    a_dispute,
    statuses(payment_statuses.DISPUTE_TRANSITIONS),
    at=TIMES,
    dispute_id=st.sampled_from(["dp_1", "dp_2"]),
    amount=AMOUNTS,
    reason=WORDS,
    evidence_due_by=TIMES,
    funds=st.sampled_from([None, *dispute.FUNDS]),
)
ORDERS = st.builds(an_order, at=TIMES, amount=AMOUNTS, currency=st.just("KRW"))
SCANS = st.builds(
    a_scan,
    statuses(shipping_statuses.TRANSITIONS),
    at=TIMES,
    location=WORDS,
    carrier=WORDS,
    order=st.sampled_from([None, "1", "2"]),
    provider=st.sampled_from(["generic", "easypost", "aftership"]),
)
REFUNDS = st.builds(
    a_refund,
    statuses(refund_statuses.TRANSITIONS),
    at=TIMES,
    amount=AMOUNTS,
    reason=WORDS,
    refund_id=st.sampled_from(["R-1", "R-2"]),
)
PAID_EVENTS = st.builds(
    an_approval,
    st.just("1"),
    at=TIMES,
    amount=AMOUNTS,
    provider=st.sampled_from(["generic", "stripe"]),
    currency=st.sampled_from(["KRW", "USD"]),
    transaction_id=WORDS,
)
PLANS = st.sampled_from(["BIZ-1-PRO-20231114", "BIZ-1-TEAM-20231214101112", "BIZ-1-PRO-20239999"])
BACK = st.sampled_from([None, 0, 9900])
SUBSCRIBED = (
    st.builds(an_approval, PLANS, at=TIMES, paid_at=TIMES)
    | st.builds(a_cancel, PLANS, at=TIMES, cancelled_at=TIMES, refunded_amount=BACK)
    | st.builds(a_part_cancel, PLANS, at=TIMES)
    | st.builds(a_billing, PLANS, at=TIMES, next_billing_at=TIMES)
)
TRANSACTIONS = st.sampled_from(["tx-1", "tx-2"])
INVOICED = st.builds(
    an_invoice,
    statuses(invoice_statuses.TRANSITIONS),
    at=TIMES,
    customer_id=WORDS,
    cash_amount=CASH,
    title=WORDS,
    reason=st.sampled_from([None, "amount_mismatch", "expired"]),
    received_amount=st.sampled_from([None, "0", "1.5"]),
    transaction_id=st.none() | TRANSACTIONS,
)
TRANSFERRED = st.builds(
    a_transfer,
    statuses(invoice_statuses.TRANSFER_TRANSITIONS),
    transaction=TRANSACTIONS,
    at=TIMES,
    invoice_id=st.sampled_from([None, "I-1"]),
    customer_id=WORDS,
    amount=st.sampled_from([None, "1.5"]),
)


@given(st.lists(PAYMENTS | DISPUTES | ORDERS | GIVEN_BACK, max_size=7), st.data())
def test_a_payment_ends_alike_in_whatever_order_its_webhooks_come(webhooks: list[Any], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(webhooks))

    in_order, _ = apply_all(apply_to_payment, payment.Payment(ORDER), webhooks)
    disordered, _ = apply_all(apply_to_payment, payment.Payment(ORDER), shuffled)

    assert disordered == in_order
    assert payment.event_keys(disordered) == payment.event_keys(in_order)


@given(st.lists(SCANS, max_size=7), st.data())
def test_a_parcel_ends_alike_in_whatever_order_its_scans_come(webhooks: list[Any], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(webhooks))

    in_order, _ = apply_all(shipping.apply, shipping.Shipment("1"), webhooks)
    disordered, _ = apply_all(shipping.apply, shipping.Shipment("1"), shuffled)

    assert disordered == in_order


@given(st.lists(REFUNDS, max_size=7), st.data())
def test_refunds_end_alike_in_whatever_order_their_webhooks_come(webhooks: list[Any], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(webhooks))

    in_order, _ = apply_all(apply_to_refunds, refund.Refunds(ORDER), webhooks)
    disordered, _ = apply_all(apply_to_refunds, refund.Refunds(ORDER), shuffled)

    assert disordered == in_order
    assert disordered.refunded_amount == in_order.refunded_amount


@given(st.lists(REFUNDS | PAID_EVENTS, max_size=7), st.data())
def test_refunds_and_payments_end_alike_in_whatever_order_they_come(events: list[Any], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(events))

    in_order, published = apply_all(apply_to_refunds, refund.Refunds(ORDER), events)
    disordered, _ = apply_all(apply_to_refunds, refund.Refunds(ORDER), shuffled)

    assert disordered == in_order
    assert refund.event_keys(disordered) == refund.event_keys(in_order)
    assert {kind for kind, _ in refund.event_keys(in_order)} <= {type(event) for event in published}


@given(st.lists(SCANS, max_size=7), st.data())
def test_a_parcel_is_told_once_somebody_names_its_order(webhooks: list[Any], data: st.DataObject) -> None:
    again = data.draw(st.permutations([*webhooks, *webhooks]))

    state, events = apply_all(shipping.apply, shipping.Shipment("cj:1"), again)
    published = without_updates(events)

    assert all(event.order_id for event in published)
    assert (state.event_key is None) == (not published)
    if state.event_key:
        assert type(published[-1]) is state.event_key[0]


@given(st.lists(SUBSCRIBED, max_size=7), st.data())
def test_a_subscription_ends_alike_in_whatever_order_its_domain_events_come(
    events: list[Any], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(events))

    in_order, published = apply_all(subscription.apply, subscription.Subscription("1"), events)
    disordered, _ = apply_all(subscription.apply, subscription.Subscription("1"), shuffled)

    assert disordered == in_order
    assert {kind for kind, _ in subscription.event_keys(in_order)} <= {type(event) for event in published}


@given(st.lists(INVOICED | TRANSFERRED, max_size=8), st.data())
def test_an_invoice_ends_alike_in_whatever_order_its_webhooks_and_transfers_come(
    webhooks: list[Any], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(webhooks))

    in_order, published = apply_all(of_invoice, (Invoice("I-1"), {}), webhooks)
    disordered, also = apply_all(of_invoice, (Invoice("I-1"), {}), shuffled)

    assert disordered == in_order
    assert event_types(disordered[0]) == event_types(in_order[0])
    assert set(event_types(in_order[0])) <= {type(event) for event in published}
    assert [sum(isinstance(event, CreditAdded) for event in events) for events in (published, also)] in ([0, 0], [1, 1])
    assert len({event.event_id for event in published}) == len(published)


@given(st.lists(PAYMENTS | DISPUTES | ORDERS | GIVEN_BACK, max_size=7))
def test_what_is_true_of_a_payment_in_the_end_was_announced(webhooks: list[Any]) -> None:
    state, published = apply_all(apply_to_payment, payment.Payment(ORDER), webhooks)

    assert {kind for kind, _ in payment.event_keys(state)} <= {type(event) for event in published}


@pytest.mark.parametrize(
    ("apply", "empty", "webhook"),
    [
        (apply_to_payment, payment.Payment(ORDER), a_payment("completed")),
        (shipping.apply, shipping.Shipment("1"), a_scan("delivered")),
        (apply_to_refunds, refund.Refunds(ORDER), a_refund("completed")),
        (subscription.apply, subscription.Subscription("1"), an_approval("BIZ-1-PRO-20231114")),
    ],
)
def test_a_second_telling_of_a_status_already_reached_announces_nothing(apply: Apply, empty: Any, webhook: Any) -> None:
    state, _, first = apply(empty, webhook)

    _, _, again = apply(state, msgspec.structs.replace(webhook))

    assert (len(first), again) == (1, ())


def apply_all(apply: Apply, state: Any, webhooks: Sequence[Any]) -> tuple[Any, list[DomainEvent]]:
    """The state after these webhooks, each new one twice in a row kept out by the inbox, and all that was announced.

    What is announced can be written and read again: no field is left open that a domain event must have.
    """
    published: list[DomainEvent] = []
    seen: set[str] = set()
    for webhook in webhooks:
        event_id = webhook.event_id if isinstance(webhook, DomainEvent) else webhook.envelope.event_id
        if event_id not in seen:
            seen.add(event_id)
            state, _, events = apply(state, webhook)
            published += events
    assert [CODEC.decode(CODEC.encode(event)) for event in published] == published
    return state, published


def of_invoice(state: Any, webhook: Any) -> tuple[Any, str, tuple[DomainEvent, ...]]:
    """The invoice and its transfers after a webhook of either."""
    invoice, known = state
    transfers = {one: known.get(one, Transfer(one)) for one in {*known, webhook.payload.transaction_id} - {None}}
    working_set = InvoiceWorkingSet({"I-1": invoice}, transfers)
    result = working_set.apply(webhook)
    return (working_set.invoices["I-1"], transfers), result.outcome, result.events
