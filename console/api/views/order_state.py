"""The state of an order in the API's JSON: contract A's columns, and the webhook that set each. Pure."""

from console.api.views.log_entries import iso
from console.queries.field_origin import FIELDS
from console.queries.lookup import Row
from runtime.json_value import JsonValue

TIMES = ("paid_at", "shipping_updated_at")
"""The columns that hold times."""


def view(state: Row | None) -> dict[str, JsonValue]:
    """Return the members of an order's JSON that come from its state; all are None or empty if `state` is None.

    Amounts are in minor units of `currency`. `setBy` has, by column, the webhook that set it and the domain event that
    carried the value, None if there is none.
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
    """Return the value of one of contract A's columns, None if it is not set; a time as ISO 8601."""
    return iso(state[name]) if name in TIMES else state[name]
