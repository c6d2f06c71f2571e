"""The domain events that hold for a subscription, and those that a change makes new."""

from processors.subscription.domain.order_ids import parse_order_id
from processors.subscription.domain.subscription import Subscription
from processors.subscription.domain.transitions import SubscriptionInput, apply_event
from stream.events import (
    DomainEvent,
    OrderId,
    OutcomeKind,
    PaymentCompleted,
    PlanMissing,
    SubscriptionActivated,
    SubscriptionCancelled,
    SubscriptionEvent,
    ids,
)

PLAN_PROVIDER = "tosspayments"
"""The provider of contract C, whose payments must all be for a plan."""

EventKey = tuple[type[SubscriptionEvent], tuple[str, OrderId, *tuple[str, ...]]]
"""The type of a domain event, and the parts of its id: the user, the order, and the occurrence if it recurs."""


def apply(
    subscription: Subscription, event: SubscriptionInput
) -> tuple[Subscription, OutcomeKind, tuple[DomainEvent, ...]]:
    """Return the subscription after an event, the event's outcome, and the new domain events.

    The outcome is `late` for a PaymentCompleted that leaves another order, or none, active; else `processed`. A domain
    event that holds again, as after an approval that moves its order back behind another, keeps its id, so consumers
    process it once.
    """
    after = apply_event(subscription, event)
    is_active = any(kind is SubscriptionActivated and key[1] == event.order_id for kind, key in event_keys(after))
    late = isinstance(event, PaymentCompleted) and not is_active
    new = [key for key in event_keys(after) if key not in event_keys(subscription)]
    return after, "late" if late else "processed", tuple(_build_event(key, after, event) for key in new)


def event_keys(subscription: Subscription) -> tuple[EventKey, ...]:
    """Return the key of SubscriptionActivated or SubscriptionCancelled for the last order; empty without a paid one."""
    if subscription.last_order_id is None:
        return ()
    kind = SubscriptionActivated if subscription.status == "active" else SubscriptionCancelled
    occurrence = (str(subscription.restored + 1),) if subscription.restored else ()
    return ((kind, (subscription.user_id, subscription.last_order_id, *occurrence)),)


def order_without_plan(event: DomainEvent) -> OrderId | None:
    """Return the order id of a SubscriptionInput of PLAN_PROVIDER if that id names no plan; None for other events."""
    must_have_plan = isinstance(event, SubscriptionInput) and event.provider == PLAN_PROVIDER
    return event.order_id if must_have_plan and parse_order_id(event.order_id) is None else None


def plan_missing_event(order_id: OrderId, cause: DomainEvent) -> PlanMissing:
    """Build the event that is published once for an order without a plan."""
    return PlanMissing(
        event_id=ids.domain_event_id("PlanMissing", order_id),
        caused_by=cause.caused_by,
        mode=cause.mode,
        occurred_at=cause.occurred_at,
        received_at=cause.received_at,
        order_id=order_id,
    )


def _build_event(event_key: EventKey, subscription: Subscription, cause: SubscriptionInput) -> SubscriptionEvent:
    kind, (user_id, order_id, *occurrence) = event_key
    return kind(
        event_id=ids.domain_event_id(kind.__name__, user_id, order_id, *occurrence),
        caused_by=cause.caused_by,
        mode=cause.mode,
        occurred_at=cause.occurred_at,
        received_at=cause.received_at,
        order_id=order_id,
        customer_id=user_id,
        contact=cause.contact if cause.order_id == order_id else None,
        plan=subscription.plan,
        started_at=subscription.started_at,
        ends_at=subscription.ends_at,
        next_billing_at=subscription.next_billing_at,
    )
