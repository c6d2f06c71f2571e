"""The subscription domain: a user's subscription after any set of events about payments.

Pure. The state does not depend on the order in which events arrive.
"""

from processors.subscription.domain.calendar_dates import a_month_after
from processors.subscription.domain.domain_events import apply, event_keys, order_without_plan, plan_missing_event
from processors.subscription.domain.order_ids import PlanOrder, parse_order_id
from processors.subscription.domain.subscription import PaidOrder, Subscription
from processors.subscription.domain.transitions import SubscriptionInput

__all__ = [
    "PaidOrder",
    "PlanOrder",
    "Subscription",
    "SubscriptionInput",
    "a_month_after",
    "apply",
    "event_keys",
    "order_without_plan",
    "parse_order_id",
    "plan_missing_event",
]
