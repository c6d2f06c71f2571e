"""An order's columns follow from the events of all services, in whatever order they come."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from processors.order.domain import Columns, Order, apply, columns_of, order_of
from processors.payment import domain as payment
from processors.payment.domain import statuses as payment_statuses
from processors.refund import domain as refund
from processors.refund.domain import statuses as refund_statuses
from processors.shipping import domain as shipping
from processors.shipping.domain import statuses as shipping_statuses
from stream.events import (
    DomainEvent,
    InvoiceCancelled,
    InvoiceCompleted,
    OrderId,
    OrderStatus,
    OrderWebhook,
    PaymentCancelled,
    PaymentCompleted,
    RefundRequested,
    RefundWebhook,
    ShipmentDelivered,
    ShipmentInTransit,
    ShippingWebhook,
    SubscriptionActivated,
    SubscriptionCancelled,
)
from stream.state.aliases import Alias
from tests.builders import MINUTE, NOON, ORDER, a_domain_event, a_payment, a_refund, a_scan, an_approval, an_order
from tests.log import CODEC
from tests.working_sets import apply_to_payment

WEBHOOKS = st.lists(
    st.builds(a_payment, st.sampled_from([status for tier in payment_statuses.TRANSITIONS for status in tier]),
              at=st.sampled_from([None, NOON, NOON + MINUTE]), amount=st.sampled_from([None, 1000, 58000]),
              method=st.sampled_from([None, "card"]), transaction_id=st.sampled_from([None, "A", "B"]),
              refunded_amount=st.sampled_from([None, 1000]))
    | st.builds(a_scan, st.sampled_from([status for tier in shipping_statuses.TRANSITIONS for status in tier]),
                at=st.sampled_from([None, NOON, NOON + MINUTE]), location=st.sampled_from([None, "서울"]),
                tracking_number=st.sampled_from(["1", "2"]), order=st.sampled_from([None, "1", "2"]))
    | st.builds(a_refund, st.sampled_from([status for tier in refund_statuses.TRANSITIONS for status in tier]),
                at=st.sampled_from([None, NOON, NOON + MINUTE]), refund_id=st.sampled_from(["R-1", "R-2"]),
                amount=st.sampled_from([None, 1000, 60000]))
    | st.builds(an_order, at=st.sampled_from([NOON, NOON + MINUTE]), amount=st.sampled_from([None, 1000]),
                currency=st.just("KRW")),
    max_size=7,
)  # fmt: skip


@given(WEBHOOKS, st.data())
def test_an_order_ends_alike_however_its_events_are_disordered_and_repeated(
    webhooks: list[Any], data: st.DataObject
) -> None:
    first = {
        event.event_id if isinstance(event, DomainEvent) else id(event): event for event in published(webhooks)[::-1]
    }
    events = list(first.values())[::-1]  # an event that holds again keeps its id, so the inbox skips it
    again = data.draw(st.permutations([*events, *events]))

    orders, disordered = view(events), view(again, repeated=True)

    assert {name: order.inputs for name, order in disordered.items()} == {n: o.inputs for n, o in orders.items()}
    assert {name: columns_of(order) for name, order in disordered.items()} == {
        name: columns_of(order) for name, order in orders.items()
    }


@given(WEBHOOKS)
def test_an_order_shows_what_the_processors_hold(webhooks: list[Any]) -> None:
    stores = Processors()
    events = [event for webhook in webhooks for event in stores.apply(webhook)]
    orders = view(events)

    columns = columns_of(orders.get(ORDER, Order(ORDER)))

    paid, refunds = stores.payment, stores.refunds.refunds[ORDER]
    if paid.version:
        assert columns.payment_status == paid.status
        assert (columns.payment_method, columns.transaction_id) == (
            paid.stated.method.value,
            paid.stated.transaction_id.value,
        )
        assert columns.paid_at == paid.paid_at
    assert columns.refund_status == (refunds.status or ("completed" if paid.refunded_amount else None))
    assert (columns.refunded_amount or 0) == max(refunds.refunded_amount, paid.refunded_amount)
    own = [parcel for parcel in stores.parcels.values() if parcel.order_id == "1" and parcel.status]
    assert columns.shipping_status in ({parcel.status for parcel in own} or {None})
    requested = {event.event_id for event in events if isinstance(event, RefundRequested)}  # by no webhook
    assert set(columns.set_by.values()) <= {*requested, *(webhook.envelope.event_id for webhook in webhooks)}


def test_each_column_names_the_webhook_that_set_it_and_the_event_that_webhook_caused() -> None:
    paid = a_payment("completed", method="card", transaction_id="TXN-1", paid_at=NOON)
    in_transit = a_scan("in_transit", carrier="CJ", tracking_number="1", location="서울", scanned_at=NOON)

    columns = only(published([paid, in_transit, a_scan("preparing", at=NOON - MINUTE)]))

    assert columns.set_by == {
        **dict.fromkeys(("payment_status", "payment_method", "transaction_id", "paid_amount", "paid_at"),
                        paid.envelope.event_id),
        **dict.fromkeys(("shipping_status", "carrier", "tracking_number", "last_location", "shipping_updated_at"),
                        in_transit.envelope.event_id),
    }  # fmt: skip
    assert columns.set_by.keys() == columns.set_by_events.keys()


def test_the_later_of_two_scans_sets_the_location_though_nobody_is_mailed_of_it() -> None:
    first, second = (
        a_scan("in_transit", at=NOON + n * MINUTE, scanned_at=NOON + n * MINUTE, location=place)
        for n, place in enumerate(("서울", "대전"))
    )

    columns = only(published([first, second]))

    assert (columns.last_location, columns.shipping_updated_at) == ("대전", NOON + MINUTE)
    assert columns.set_by["last_location"] == second.envelope.event_id


def test_of_several_parcels_the_one_with_the_latest_scan_is_shown_in_all_columns() -> None:
    early = a_scan("delivered", tracking_number="1", carrier="CJ", location="서울", scanned_at=NOON)
    late = a_scan("preparing", at=NOON + MINUTE, tracking_number="2", carrier="우체국", scanned_at=NOON + MINUTE)

    for webhooks in permutations([early, late]):
        columns = only(published(webhooks))

        assert (columns.shipping_status, columns.tracking_number, columns.carrier) == ("preparing", "2", "우체국")
        assert columns.last_location is None


def test_a_parcel_that_moved_to_another_order_is_gone_from_the_first() -> None:
    guessed = a_scan("in_transit", order="2", tracking_number="1", provider="easypost")
    corrected = a_scan("in_transit", order="1", tracking_number="1", at=NOON + MINUTE)

    orders = view(published([guessed, corrected]))

    assert columns_of(orders[OrderId("2")]).shipping_status is None
    assert columns_of(orders[ORDER]).shipping_status == "in_transit"


@pytest.mark.parametrize(
    ("webhooks", "status", "amount"),
    [
        ([a_payment("completed"), a_refund("pending")], "pending", 0),
        ([a_payment("completed"), a_refund("completed", amount=1000)], "completed", 1000),
        (
            [a_payment("completed"), a_payment("partially_cancelled", at=NOON + 1, refunded_amount=1000)],
            "completed",
            1000,
        ),
        (
            [
                a_payment("completed"),
                a_payment("partially_cancelled", at=NOON + 1, refunded_amount=3000),
                a_refund("completed", amount=1000),
            ],
            "completed",
            3000,
        ),
        ([a_payment("completed")], None, 0),
    ],
)
def test_a_refund_is_shown_whoever_states_it(webhooks: Sequence[Any], status: str | None, amount: int) -> None:
    columns = only(published(webhooks))

    assert (columns.refund_status, columns.refunded_amount) == (status, amount)


def test_events_from_before_the_order_view_count_until_one_carries_the_state() -> None:
    old = [
        an_approval("1", at=NOON, amount=9900, method="카드", transaction_id="T-1"),
        a_domain_event(ShipmentInTransit, at=NOON, carrier="CJ", tracking_number="1", location="서울"),
        a_domain_event(ShipmentDelivered, at=NOON + MINUTE, carrier="CJ", tracking_number="1", location="부산"),
    ]

    before = only(old)
    after = only([*published([a_payment("cancelled", amount=9900)]), *old])

    assert (before.payment_status, before.paid_amount, before.last_location) == ("completed", 9900, "부산")
    assert after.payment_status == "cancelled"


def test_an_invoice_is_an_order_paid_in_crypto() -> None:
    fields: dict[str, Any] = dict.fromkeys(
        ("title", "crypto_amount", "crypto_asset", "received_amount", "expected_amount", "reason")
    )
    done = a_domain_event(InvoiceCompleted, order=None, invoice_id="I-1", amount=1000, currency="KRW", **fields)
    ended = a_domain_event(
        InvoiceCancelled, order=None, invoice_id="I-1", amount=1000, currency="KRW", **{**fields, "reason": "expired"}
    )

    assert only([ended]).payment_status == "expired"
    for events in permutations([done, ended]):
        columns = only(events)
        assert (columns.payment_status, columns.payment_method, columns.paid_amount) == ("completed", "crypto", 1000)
    assert order_of(done) == "invoice:I-1"


def test_a_plan_is_shown_with_its_order() -> None:
    plan: dict[str, Any] = {"plan": "pro", "started_at": NOON, "ends_at": None, "next_billing_at": None}
    events = [
        a_domain_event(SubscriptionActivated, **plan),
        a_domain_event(SubscriptionCancelled, at=NOON + MINUTE, **plan),
    ]

    for disordered in permutations(events):
        columns = only(disordered)
        assert (columns.subscription_plan, columns.subscription_status) == ("pro", "cancelled")


def test_a_status_is_published_only_when_a_column_changed() -> None:
    shop = an_order(amount=58000, currency="KRW", customer_id="C-1")
    order, _, first = apply(Order(ORDER), shop)

    order, outcome, second = apply(order, an_order(amount=58000, currency="KRW", customer_id="C-1", at=NOON - MINUTE))

    assert [type(event) for event in first] == [OrderStatus]
    assert (outcome, second) == ("late", ())


@pytest.mark.parametrize("kind", [PaymentCompleted, PaymentCancelled])
def test_what_is_published_can_be_written_and_read(kind: type[DomainEvent]) -> None:
    _, _, (status,) = apply(Order(ORDER), an_approval("1") if kind is PaymentCompleted else published([a_payment()])[0])

    assert CODEC.decode(CODEC.encode(status)) == status


class Processors:
    """The processors before the order processor, with one order's payment and refunds, and all parcels."""

    def __init__(self) -> None:
        self.payment = payment.Payment(ORDER)
        self.refunds = refund.RefundWorkingSet({ORDER: refund.Refunds(ORDER)}, Aliases())
        self.parcels: dict[str, shipping.Shipment] = {}
        self._seen: set[str] = set()

    def apply(self, webhook: Any) -> list[Any]:
        """What the order processor gets to read because of a webhook."""
        if webhook.envelope.event_id in self._seen:
            return []
        self._seen.add(webhook.envelope.event_id)
        if isinstance(webhook, ShippingWebhook):
            name = webhook.payload.tracking_number or "1"
            self.parcels[name], _, events = shipping.apply(self.parcels.get(name, shipping.Shipment(name)), webhook)
            return list(events)
        if isinstance(webhook, RefundWebhook):
            return list(self.refunds.apply(webhook).events)
        self.payment, _, events = apply_to_payment(self.payment, webhook)
        refunds = [event for event in events for event in self.refunds.apply(event).events]
        return [*events, *refunds, *([webhook] if isinstance(webhook, OrderWebhook) else [])]


class Aliases(dict[tuple[str, str], Alias[Any]]):
    def __missing__(self, name: tuple[str, str]) -> Alias[Any]:
        return Alias()


def published(webhooks: Sequence[Any]) -> list[Any]:
    stores = Processors()
    return [event for webhook in webhooks for event in stores.apply(webhook)]


def view(events: Any, *, repeated: bool = False) -> dict[OrderId, Order]:
    """The orders after these events; the inbox keeps out repeated ones, which is left to the domain if `repeated`."""
    orders: dict[OrderId, Order] = {}
    seen: set[str] = set()
    for event in events:
        event_id = event.envelope.event_id if isinstance(event, OrderWebhook) else event.event_id
        if (order_id := order_of(event)) and (repeated or event_id not in seen):
            seen.add(event_id)
            orders[order_id], _, _ = apply(orders.get(order_id, Order(order_id)), event)
    return orders


def only(events: Any) -> Columns:
    (order,) = view(events).values()
    return columns_of(order)


def test_a_refund_that_fits_its_payment_again_is_shown_again() -> None:
    stores = Processors()
    given_back = a_refund("completed", amount=1000, provider="stripe")
    of_another = a_domain_event(PaymentCompleted, **{**PAID, "provider": "toss", "transaction_id": "T"})
    of_this = a_domain_event(
        PaymentCompleted, at=NOON + MINUTE, **{**PAID, "provider": "stripe", "transaction_id": "S"}
    )

    shown = []
    events = stores.apply(given_back)
    for event in (None, of_another, of_this):
        events += stores.refunds.apply(event).events if event else ()
        shown.append(only(events).refund_status)

    assert shown == ["completed", None, "completed"]


PAID: dict[str, Any] = {"amount": 58000, "currency": "KRW", "method": None, "paid_at": None}
