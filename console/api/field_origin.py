"""The webhook that set a field of an order's state, and those that stated it and lost, with the reasons."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection

from console.api import order_state, queries
from console.api.labels import provider_word
from console.api.queries import RelatedRows, Row
from console.api.views import iso, signature
from providers import catalogue
from providers.contract import Received, RefusedWebhook
from runtime.json_value import JsonValue
from stream.events import Record

DETAILS = """
SELECT webhook_id::text, path, headers, payload, inbox.topic, inbox.partition, inbox."offset"
  FROM webhooks LEFT JOIN inbox ON inbox.event_id = webhook_id
 WHERE webhook_id = ANY (%(ids)b::text[]::uuid[])
"""
CONFLICTS = """
SELECT DISTINCT event_id::text, topic, partition, "offset"
  FROM outcomes WHERE event_id = ANY (%(ids)b::text[]::uuid[]) AND outcome = 'conflict' ORDER BY 1, 2, 3, 4
"""
CAUSE = "SELECT caused_by, type FROM domain_events WHERE event_id = %(id)s::uuid"

STATING = ("payment", "shipping", "refund", "invoice")
"""The kinds of webhooks that state fields of an order."""
CANCELS = ("partially_cancelled", "cancelled")
"""The statuses of a payment that state a refund."""
PAYMENT_FIELDS, SHIPPING_FIELDS = order_state.FIELDS[:5], order_state.FIELDS[5:10]
STATED_AS = {
    "payment_status": "status",
    "payment_method": "method",
    "transaction_id": "transaction_id",
    "paid_amount": "amount",
    "paid_at": "paid_at",
    "shipping_status": "status",
    "tracking_number": "tracking_number",
    "carrier": "carrier",
    "last_location": "location",
    "shipping_updated_at": "scanned_at",
    "refund_status": "status",
    "refunded_amount": "amount",
}
"""The field of a webhook's content that states each column."""
REFUNDED = ("completed", "partially_cancelled", "cancelled")

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
"""Why a webhook did not set the field, by the API's word for it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A webhook of the order that could have set the field; `content` is None where it cannot be translated."""

    row: Row
    detail: Row
    content: Record | None
    outcomes: tuple[tuple[str, str], ...]

    def stated(self, name: str) -> JsonValue:
        return getattr(self.content, name, None)


def origin(tx: Connection, order_id: str, field: str, state: Row) -> dict[str, JsonValue]:
    """Return the field's value, the webhook that set it, and the others that stated it with the reason they lost."""
    set_by, through = _webhook_of(tx, state["set_by"].get(field))
    known = _candidates(tx, queries.order(tx, order_id))
    candidates = [each for each in known if each.row["webhook_id"] == set_by or _may_set(each, field)]
    winner = next((each for each in candidates if each.row["webhook_id"] == set_by), None)
    others = [each for each in candidates if each is not winner and _states(each, field)]
    ids = [each.row["webhook_id"] for each in candidates]
    return {
        "orderId": order_id,
        "field": field,
        "value": order_state.value(state, field),
        "currency": state["currency"] if field in ("paid_amount", "refunded_amount") else None,
        "setBy": None if winner is None else _entry(winner, field),
        "through": through,
        "eventId": state["set_by_events"].get(field),
        "lost": [_lost(each, field, _reason(each, winner, field)) for each in others]
        + [_conflict(row) for row in queries.rows(tx, CONFLICTS, {"ids": ids})],
    }


def _webhook_of(tx: Connection, event_id: str | None) -> tuple[str | None, str | None]:
    """Return the webhook behind an event id, and the type of the domain event if it was not the webhook itself."""
    found = queries.rows(tx, CAUSE, {"id": event_id}) if event_id else []
    return (found[0]["caused_by"], found[0]["type"]) if found else (event_id, None)


def _may_set(candidate: Candidate, field: str) -> bool:
    """Return whether webhooks of this kind state the field; a cancel of a payment states a refund."""
    kind = candidate.row["kind"]
    if field in PAYMENT_FIELDS:
        return kind in ("payment", "invoice")
    if field in SHIPPING_FIELDS:
        return bool(kind == "shipping")
    return kind == "refund" or (kind == "payment" and candidate.stated("status") in CANCELS)


def _candidates(tx: Connection, related: RelatedRows) -> list[Candidate]:
    rows = [row for row in related.webhooks if row["kind"] in STATING and row["confirmed_as"] is None]
    found = queries.rows(tx, DETAILS, {"ids": [row["webhook_id"] for row in rows]})
    details = {detail["webhook_id"]: detail for detail in found}
    outcomes: dict[str, list[tuple[str, str]]] = {row["webhook_id"]: [] for row in rows}
    for outcome in related.outcomes:
        if outcome["event_id"] in outcomes:
            outcomes[outcome["event_id"]].append((outcome["service"], outcome["outcome"]))
    return [
        Candidate(
            row,
            details[row["webhook_id"]],
            _content(row, details[row["webhook_id"]]),
            tuple(outcomes[row["webhook_id"]]),
        )
        for row in rows
    ]


def _content(row: Row, detail: Row) -> Record | None:
    """Translate the webhook's bytes again; None for an API's response, and for a body that is refused today."""
    if row["verification"] == "confirmed":
        return None
    try:
        headers = detail["headers"] or {}
        provider, kind = catalogue.find(detail["path"], headers)
        unsigned = provider.translate_unsigned if row["verification"] == "unsigned_allowed" else None
        received = Received(detail["path"], headers, detail["payload"], row["received_at"])
        return (unsigned or provider.translate)(received, kind).payload
    except (RefusedWebhook, KeyError, ValueError):
        return None


def _states(candidate: Candidate, field: str) -> bool:
    return candidate.content is None or candidate.stated(STATED_AS[field]) is not None


def _reason(candidate: Candidate, winner: Candidate | None, field: str) -> str:
    """Return the key of REASONS that applies."""
    latest = dict(candidate.outcomes).values()
    for outcome, reason in (
        ("dead", "dead"),
        ("dismissed", "dead"),
        ("retrying", "retrying"),
        ("waiting", "waiting"),
    ):
        if outcome in latest:
            return reason
    if candidate.content is None or winner is None:
        return "unread"
    rules: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("other_transaction", lambda: field in PAYMENT_FIELDS and _differ(candidate, winner, "transaction_id")),
        ("other_parcel", lambda: field in SHIPPING_FIELDS and _differ(candidate, winner, "tracking_number")),
        ("counted_too", lambda: field == "refunded_amount" and candidate.stated("status") in REFUNDED),
        ("older", lambda: _at(candidate) < _at(winner)),
        ("same_time", lambda: _at(candidate) == _at(winner)),
    )
    return next((reason for reason, applies in rules if applies()), "lower_rank")


def _differ(candidate: Candidate, winner: Candidate, name: str) -> bool:
    ids = {candidate.stated(name), winner.stated(name)}
    return None not in ids and len(ids) > 1


def _at(candidate: Candidate) -> int:
    """Return the provider's time in microseconds, 0 if unknown: the time of the webhook's stamp."""
    at: int | None = candidate.row["occurred_at"]
    return at or 0


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
    """Return the record of a body that came under the id of another one; the log has its position only."""
    return {
        "webhookId": row["event_id"],
        "record": _position(row),
        "reason": "conflict",
        "explanation": REASONS["conflict"],
    }


def _position(row: Row) -> dict[str, JsonValue]:
    return {name: row[name] for name in ("topic", "partition", "offset")}
