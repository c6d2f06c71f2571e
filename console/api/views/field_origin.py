"""The API's JSON of a field's origin: the webhook that set it, and those that lost, with the reasons. Pure."""

from collections.abc import Mapping
from hashlib import sha256

from console.api.views import order_state
from console.api.views.log_entries import iso, signature
from console.labels import provider_word
from console.queries.field_origin import STATED_AS, Candidate, Origin
from console.queries.lookup import Row
from runtime.json_value import JsonValue

REASONS: Mapping[str, str] = {
    "conflict": "another body came under the event id of a webhook that was applied already; it is never applied",
    "dead": "it failed every try and was not applied; see `hookstream dead show`",
    "retrying": "it failed and will be tried again",
    "waiting": "it waits for the order that it belongs to",
    "other_transaction": "it is about another transaction than the one that pays the order",
    "other_parcel": "it is about another parcel; the parcel with the latest scan is shown",
    "counted_too": "it counts too: the amount is the sum of all refunds",
    "older": "it is older by the provider's clock",
    "same_time": "it is of the same time; then the later status of the table of states wins, else the greater event id",
    "lower_rank": "it is not older, but its status ranks below the one that stands (docs/states.md)",
    "unread": "its content cannot be translated any more, so what it states is not known",
}
"""By the API's word for a reason for which a webhook did not set the field: the explanation; `it` is the webhook."""


def origin(order_id: str, field: str, state: Row, found: Origin) -> dict[str, JsonValue]:
    """Return the API's JSON: the field's value in `state`, the webhook that set it, and the others with their reasons.

    `setBy` is None if no webhook has set the field, and if the one that has is not in the log.
    """
    return {
        "orderId": order_id,
        "field": field,
        "value": order_state.value(state, field),
        "currency": state["currency"] if field in ("paid_amount", "refunded_amount") else None,
        "setBy": None if found.winner is None else _entry(found.winner, field),
        "through": found.through,
        "eventId": state["set_by_events"].get(field),
        "lost": [_lost(each, field, reason) for each, reason in found.lost]
        + [_conflict(row) for row in found.conflicts],
    }


def _entry(candidate: Candidate, field: str) -> dict[str, JsonValue]:
    row, detail = candidate.row, candidate.detail
    payload: bytes = detail["payload"] or b""
    name = STATED_AS[field]
    stated = candidate.stated(name)
    return {
        "webhookId": row["webhook_id"],
        "provider": provider_word(row["provider"]),
        "providerEventId": row["provider_event_id"],
        "eventType": row["event_type"],
        "status": candidate.stated("status"),
        "stated": iso(stated) if field in order_state.TIMES else stated,
        "occurredAt": iso(row["occurred_at"]),
        "receivedAt": iso(row["received_at"]),
        "verification": row["verification"],
        "signature": signature(detail["headers"] or {}),
        "bytes": {"size": len(payload), "sha256": sha256(payload).hexdigest()},
        "record": _position(detail) if detail["topic"] else None,
        "outcomes": [{"service": service, "outcome": outcome} for service, outcome in candidate.outcomes],
    }


def _lost(candidate: Candidate, field: str, reason: str) -> dict[str, JsonValue]:
    return {**_entry(candidate, field), "reason": reason, "explanation": REASONS[reason]}


def _conflict(row: Row) -> dict[str, JsonValue]:
    """Return the entry of a body that came under the id of another body; the log has only its position."""
    return {
        "webhookId": row["event_id"],
        "record": _position(row),
        "reason": "conflict",
        "explanation": REASONS["conflict"],
    }


def _position(row: Row) -> dict[str, JsonValue]:
    return {name: row[name] for name in ("topic", "partition", "offset")}
