"""Finds the webhook that set a field of an order's state, and those that stated the field and lost, with reasons."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from console.queries import lookup
from console.queries.lookup import RelatedRows, Row
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
"""By contract A's column of an order: the field of a webhook's content that states it."""
FIELDS = tuple(STATED_AS)
"""Contract A's columns of an order."""
PAYMENT_FIELDS, SHIPPING_FIELDS = FIELDS[:5], FIELDS[5:10]
REFUNDED = ("completed", "partially_cancelled", "cancelled")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A webhook of the order that could have set the field.

    `row` is its entry in the log, `detail` its row of DETAILS, `content` its translated payload, None if it cannot be
    translated. `outcomes` are pairs of service and outcome, the latest last.
    """

    row: Row
    detail: Row
    content: Record | None
    outcomes: tuple[tuple[str, str], ...]

    def stated(self, name: str) -> JsonValue:
        """Return the field `name` of the content; None if the webhook does not state it or has no content."""
        return getattr(self.content, name, None)


@dataclass(frozen=True, slots=True)
class Origin:
    """The webhook that set a field (`winner`), and those that lost.

    `winner` is None if no webhook has set the field, and if the one that has is not in the log. `through` is the type
    of the domain event that carried the value, None if the webhook itself did. `lost` are pairs of a webhook and the
    reason, a key of `api.views.field_origin.REASONS`. `conflicts` are the positions of other bodies that came under the
    id of one of these webhooks.
    """

    winner: Candidate | None
    through: str | None
    lost: list[tuple[Candidate, str]]
    conflicts: list[Row]


def find(tx: Connection, order_id: str, field: str, state: Row) -> Origin:
    """Return the webhook that set the field, and the others that stated it.

    `field` is one of FIELDS; `state` is the order's state, as `lookup.order_state` returns it.
    """
    set_by, through = _webhook_of(tx, state["set_by"].get(field))
    known = _candidates(tx, lookup.order(tx, order_id))
    candidates = [each for each in known if each.row["webhook_id"] == set_by or _may_set(each, field)]
    winner = next((each for each in candidates if each.row["webhook_id"] == set_by), None)
    others = [each for each in candidates if each is not winner and _states(each, field)]
    ids = [each.row["webhook_id"] for each in candidates]
    return Origin(
        winner,
        through,
        [(each, _reason(each, winner, field)) for each in others],
        lookup.rows(tx, CONFLICTS, {"ids": ids}),
    )


def _webhook_of(tx: Connection, event_id: str | None) -> tuple[str | None, str | None]:
    """Return the id of the webhook that caused a domain event, and the event's type; else the given id and None."""
    found = lookup.rows(tx, CAUSE, {"id": event_id}) if event_id else []
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
    found = lookup.rows(tx, DETAILS, {"ids": [row["webhook_id"] for row in rows]})
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
    """Return why the candidate lost."""
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
