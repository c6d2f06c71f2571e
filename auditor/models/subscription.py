"""The model of the subscription processor. Pure."""

import json
from collections.abc import Iterable

from auditor.models.expected import ExpectedStore, KeyedDefaults, Tables, event_ids
from processors.subscription import domain as subscriptions
from stream.events import Record


def subscription(events: Iterable[Record]) -> ExpectedStore:
    """Return the expected rows and domain events of the subscription processor; records of other kinds are skipped."""
    relevant = [(event, ordered) for event in events if (ordered := _plan_order(event))]
    users: KeyedDefaults[str, subscriptions.Subscription] = KeyedDefaults(subscriptions.Subscription)
    history = set()
    for event, ordered in relevant:
        if isinstance(event, subscriptions.SubscriptionInput):
            users[ordered.user_id], _, _ = subscriptions.apply(users[ordered.user_id], event)
            history.add(event.event_id)
    tables: Tables = {
        "subscriptions": {
            name: {
                "plan": user.plan,
                "status": user.status,
                "last_order_id": user.last_order_id,
                "version": user.version,
            }
            for name, user in users.items()
        },
        "orders": {
            order_id: {"user_id": name, "registers": json.loads(order.dump())}
            for name, user in users.items()
            for order_id, order in user.orders.items()
        },
    }
    keys = [key for user in users.values() for key in subscriptions.event_keys(user)]
    return ExpectedStore(tables, frozenset(history), event_ids(keys))


def _plan_order(event: Record) -> subscriptions.PlanOrder | None:
    return subscriptions.parse_order_id(event.order_id) if isinstance(event, subscriptions.SubscriptionInput) else None
