"""The domain events of users' subscriptions."""

from stream.events.domain_events.domain_event import DomainEvent
from stream.events.record import Micros


class SubscriptionEvent(DomainEvent, frozen=True, kw_only=True):
    """A change of a user's subscription; `customer_id` is the user."""

    plan: str
    started_at: Micros | None
    ends_at: Micros | None
    next_billing_at: Micros | None


class SubscriptionActivated(SubscriptionEvent, frozen=True, kw_only=True):
    pass


class SubscriptionCancelled(SubscriptionEvent, frozen=True, kw_only=True):
    pass


class PlanMissing(DomainEvent, frozen=True, kw_only=True):
    """A payment for a subscription arrived, but its order names no user or plan."""
