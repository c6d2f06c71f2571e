"""The state of an order in the API's JSON: contract A's columns by their names, and which webhook set each. Pure."""

from console.api.views.log_entries import iso
from console.queries.field_origin import FIELDS
from console.queries.lookup import Row
from runtime.json_value import JsonValue

TIMES = ("paid_at", "shipping_updated_at")


def view(state: Row | None) -> dict[str, JsonValue]:
    """Return the members of an order's JSON that come from its state; `state` is None if no state was published.

    Amounts are in minor units of `currency`. `setBy` has, by column, the webhook and the domain event it caused.
    """
    if state is None:
        return {"state": None, "currency": None, "ordered": None, "subscription": None, "setBy": {}}
    events = state["set_by_events"]
    return {
        "state": {name: value(state, name) for name in FIELDS},
        "currency": state["currency"],
        "ordered": {"amount": state["ordered_amount"], "currency": state["ordered_currency"]},
        "subscription": {"plan": state["subscription_plan"], "status": state["subscription_status"]},
        "setBy": {
            name: {"webhookId": webhook_id, "eventId": events.get(name)} for name, webhook_id in state["set_by"].items()
        },
    }


def value(state: Row, name: str) -> JsonValue:
    """Return a column, a time as ISO 8601."""
    return iso(state[name]) if name in TIMES else state[name]
