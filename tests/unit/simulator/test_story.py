"""What the simulator tells is what the gateway reads, and what it expects is what the services make of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from processors.payment import domain as payment
from processors.refund import domain as refund
from processors.shipping import domain as shipping
from providers.catalogue import BY_PATH
from providers.contract import Received
from providers.records import webhook_record
from simulator import signing
from simulator.plan import Plan, lives
from simulator.story import SimulatedWebhook
from stream.events import DomainEvent, Micros, OrderId, ids
from tests.working_sets import apply_to_payment, apply_to_refunds

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
PLAN = Plan("abc", NOON, orders=4)


def event_of(posted: SimulatedWebhook) -> tuple[str, Any]:
    provider, kind = BY_PATH[posted.path]
    headers = {name.lower(): value for name, value in signing.sign(provider, posted.body, b"secret", 0).items()}
    received = Received(posted.path, headers, posted.body, Micros(0))
    verification = provider.verify(received, [b"secret"])
    _, key, event = webhook_record(provider, received, verification, provider.translate(received, kind), "test")
    return key, event


def test_each_webhook_makes_the_row_and_the_mail_that_are_expected_of_it() -> None:
    apply: dict[str, Callable[[str, Any], tuple[Any, Any, tuple[DomainEvent, ...]]]] = {
        "payment": lambda key, event: apply_to_payment(payment.Payment(OrderId(key)), event),
        "shipping": lambda key, event: shipping.apply(shipping.Shipment(key), event),
        "refund": lambda key, event: apply_to_refunds(refund.Refunds(OrderId(key)), event),
    }

    for posted in [webhook_ for life in lives(PLAN) for webhook_ in life.webhooks if webhook_.rows]:
        (row,) = posted.rows
        key, event = event_of(posted)
        after, outcome, (domain_event,) = apply[row.service](key, event)

        assert outcome == "processed"
        assert (key, after.status) == (row.key, row.status)
        assert posted.mails == (ids.notification_id(domain_event.event_id, "customer", "email"),)


def test_the_shop_names_a_reader_in_each_language_in_turn() -> None:
    orders = [event_of(life.webhooks[0])[1].payload for life in lives(PLAN)]

    assert [order.locale for order in orders] == ["ko", "en", "ko", "en"]
    assert [order.customer_email for order in orders] == [f"sim-abc-{number}@example.test" for number in range(1, 5)]


def test_the_same_plan_tells_the_same_lives() -> None:
    plan = replace(PLAN, duplicates=0.5, disorder=True, seed=7)

    assert lives(plan) == lives(plan)
    assert lives(plan) != lives(replace(plan, seed=8))


def test_disorder_and_duplicates_change_when_and_how_often_a_webhook_is_sent_and_nothing_else() -> None:
    plan = replace(PLAN, orders=100, duplicates=0.2, disorder=True)

    posted = lives(plan)

    assert [set(life.webhooks) for life in posted] == [set(life.webhooks) for life in lives(replace(PLAN, orders=100))]
    posts = sum(len(step) for life in posted for step in life.steps)
    assert 400 * 1.15 < posts < 400 * 1.25
    assert any(len(step) > 1 for life in posted for step in life.steps)
