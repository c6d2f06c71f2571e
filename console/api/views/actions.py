"""The API's JSON of people's actions. Pure."""

from console.api.views.log_entries import iso
from console.queries.lookup import Row
from runtime.json_value import JsonValue


def action(row: Row) -> dict[str, JsonValue]:
    """Return a row of `queries.actions` as JSON; `result` is `requested` while the action has no result."""
    return {
        "actionId": row["action_id"],
        "user": row["user_name"],
        "role": row["role"],
        "action": row["action"],
        "target": row["target"],
        "parameters": row["parameters"],
        "result": row["result"],
        "detail": row["detail"],
        "at": iso(row["at"]),
    }
