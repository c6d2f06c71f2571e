"""A plan follows from what was announced of its payments, each domain event once in effect."""

from datetime import timedelta

import pytest

from stream.events import DomainEvent, PlanMissing, SubscriptionActivated, SubscriptionCancelled, topics
from tests.actors import Store, new_order
from tests.builders import MINUTE, NOON, a_billing, a_cancel, a_part_cancel, an_approval
from tests.log import append, reading
from tests.processes import kill

ROW = "SELECT plan, status, last_order_id, version FROM subscriptions WHERE user_id = %s"
HISTORY = "SELECT event_type, outcome FROM subscription_history WHERE user_id = %s ORDER BY occurred_at"


@pytest.fixture
def subscriptions(system: dict[str, str]) -> Store:
    return Store(system["SUBSCRIPTION_DATABASE_URL"])


def publish(system: dict[str, str], *events: DomainEvent) -> None:
    for event in events:
        append(system, topics.PAYMENTS, event.order_id or "", event)


def test_a_plan_is_activated_billed_and_cancelled(system: dict[str, str], subscriptions: Store) -> None:
    user = new_order()
    order = f"BIZ-{user}-PRO-20231115071320"

    with reading(system, topics.SUBSCRIPTIONS) as published:
        publish(system, an_approval(order), a_billing(order, at=NOON + MINUTE, next_billing_at=NOON + 9 * MINUTE))
        activated = published.wait_for(lambda event: event.customer_id == user)
        (active,) = subscriptions.wait_for("SELECT * FROM subscriptions WHERE user_id = %s AND version = 2", user)
        publish(system, a_part_cancel(order, at=NOON + 2 * MINUTE), a_cancel(order, at=NOON + 3 * MINUTE))
        cancelled = published.wait_for(
            lambda event: isinstance(event, SubscriptionCancelled) and event.customer_id == user
        )

    assert isinstance(activated, SubscriptionActivated)
    assert (activated.plan, activated.order_id, activated.started_at) == ("pro", order, NOON)
    assert (active["plan"], active["status"], active["last_order_id"]) == ("pro", "active", order)
    assert active["ends_at"] - active["started_at"] == timedelta(days=30)  # from November 15 to December 15
    assert active["next_billing_at"] - active["started_at"] == timedelta(minutes=9)
    assert cancelled.ends_at == NOON + 3 * MINUTE
    assert subscriptions.rows(ROW, user) == [
        {"plan": "pro", "status": "cancelled", "last_order_id": order, "version": 4}
    ]
    assert [row["event_type"] for row in subscriptions.rows(HISTORY, user)] == [
        "PaymentCompleted",
        "BillingScheduled",
        "PaymentRefunded",
        "PaymentCancelled",
    ]


def test_orders_of_one_user_on_many_partitions_make_one_subscription(
    system: dict[str, str], subscriptions: Store
) -> None:
    user = new_order()
    orders = [f"BIZ-{user}-PLAN{n}-202311{n:02}" for n in range(1, 13)]

    publish(system, *(an_approval(order, at=NOON + n * MINUTE) for n, order in enumerate(orders)))
    publish(system, *(a_cancel(order, at=NOON + 60 * MINUTE) for order in orders[:-1]))

    (row,) = subscriptions.wait_for(ROW + " AND version = 23", user)
    assert row == {"plan": "plan12", "status": "active", "last_order_id": orders[-1], "version": 23}


@pytest.mark.long
def test_a_domain_event_that_comes_again_across_a_killed_processor_changes_nothing(
    system: dict[str, str], subscriptions: Store
) -> None:
    user = new_order()
    first, last = f"BIZ-{user}-PRO-20231101", f"BIZ-{user}-PRO-20231114"
    approval = an_approval(first)

    with reading(system, topics.SUBSCRIPTIONS) as published:
        publish(system, *[approval] * 20)
        subscriptions.wait_for(ROW + " AND status = 'active'", user)
        kill(system, "SUBSCRIPTION")
        publish(system, *[approval] * 20, an_approval(last, at=NOON + MINUTE))
        published.wait_for(lambda event: event.order_id == last)
        ours = [event for event in published.records if event.customer_id == user]

    assert {event.event_id for event in ours if event.order_id == first} == {ours[0].event_id}
    assert subscriptions.rows(ROW, user)[0]["version"] == 2
    assert len(subscriptions.rows(HISTORY, user)) == 2


def test_a_payment_without_a_plan_is_reported_once(system: dict[str, str]) -> None:
    order, other = new_order(), new_order()
    last = f"BIZ-{new_order()}-PRO-20231101"

    with reading(system, topics.SUBSCRIPTIONS) as published:
        publish(system, an_approval(other, provider="stripe"), an_approval(order), a_cancel(order, at=NOON + MINUTE))
        missing = published.wait_for(lambda event: event.order_id == order)
        append(system, topics.PAYMENTS, order, an_approval(last))  # behind all of the order's on its partition
        published.wait_for(lambda event: event.order_id == last)

    assert isinstance(missing, PlanMissing)
    assert [event.order_id for event in published.records if event.order_id in (order, other)] == [order]
