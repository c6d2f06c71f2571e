"""The timeline of an order or a webhook for a page: typed entries, causes before their effects. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from console.api.views import timeline
from console.queries.lookup import RelatedRows, Row
from console.web.rendering.formatting import first_line
from runtime.json_value import JsonValue

Kind = Literal["received", "handled", "published", "mailed", "refused"]
TONES: Mapping[str, str] = {
    "processed": "good",
    "waiting": "busy",
    "retrying": "warn",
    "dead": "bad",
    "conflict": "warn",
    "FAILED": "bad",
    "ABANDONED": "bad",
    "RETRYING": "warn",
    "RECEIVED": "busy",
    "PROCESSED": "good",
}
FAMILIES = ("Payment", "Deposit", "Amount", "Dispute", "Shipment", "Refund", "Subscription", "Billing", "Invoice")
"""The beginnings of the types of domain events, by which they are grouped."""
OPEN = ("waiting", "retrying", "dead")
"""Outcomes after which an event has not had its effect."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An entry of the timeline.

    `at` is in microseconds since 1970 UTC, `tone` a class of the style sheet, `id` that of the webhook, event, mail or
    refusal, `row` the row of the log. `text` is the label of a handled event, or the reason in a published one.
    """

    at: int
    kind: Kind
    tone: str
    id: str
    row: Row
    text: str = ""


@dataclass(frozen=True, slots=True)
class OpenEvent:
    """An event that has not had its effect in a service, with its latest outcome there, one of OPEN.

    `since` is the time of that outcome in microseconds since 1970 UTC, `label` the type of the event.
    """

    event_id: str
    service: str
    outcome: str
    attempt: int
    error: str
    since: int
    label: str


def moments(related: RelatedRows, refusals: Iterable[Row] = ()) -> list[Moment]:
    """Return the entries of these rows, sorted by time; at equal times causes come first."""
    depths = timeline.depths(related)
    found = [*_received(related), *_handled(related), *_published(related), *_mailed(related), *_refused(refusals)]
    return sorted(found, key=lambda moment: (moment.at, depths.get(moment.id, 0)))


def open_events(related: RelatedRows) -> list[OpenEvent]:
    """Return an OpenEvent for each event and service whose latest outcome, repetitions aside, is one of OPEN."""
    labels = _labels(related)
    latest: dict[tuple[str, str], Row] = {}
    for row in related.outcomes:
        key = (row["event_id"], row["service"])
        if row["outcome"] not in ("duplicate", "conflict") and row["at"] >= latest.get(key, row)["at"]:
            latest[key] = row
    return [
        OpenEvent(
            event_id, service, row["outcome"], row["attempt"], first_line(row["error"]), row["at"], labels[event_id]
        )
        for (event_id, service), row in latest.items()
        if row["outcome"] in OPEN and event_id in labels
    ]


def lacks_address(order_id: str, related: RelatedRows) -> bool:
    """Return whether the shop posted no such order and no mail went to the order's customer.

    A customer's own webhook may have given an address, but does not name the order; only a mail to the customer shows
    that there is one.
    """
    is_posted = any(row["kind"] == "order" and row["order_id"] == order_id for row in related.webhooks)
    return not is_posted and not any(row["audience"] == "customer" for row in related.mails)


def newest_events(related: RelatedRows) -> dict[str, Row]:
    """Return the newest domain event by family (FAMILIES); families without an event are missing."""
    newest: dict[str, Row] = {}
    for row in related.events:
        family = next((name for name in FAMILIES if row["type"].startswith(name)), None)
        if family and row["received_at"] >= newest.get(family, row)["received_at"]:
            newest[family] = row
    return newest


def _labels(related: RelatedRows) -> dict[str, str]:
    labels = {row["event_id"]: row["type"] for row in related.events}
    return labels | {row["webhook_id"]: row["event_type"] or row["type"] or "?" for row in related.webhooks}


def _received(related: RelatedRows) -> Iterator[Moment]:
    for row in related.webhooks:
        if row["received_at"] is not None:
            yield Moment(row["received_at"], "received", TONES[row["status"]], row["webhook_id"], row)


def _handled(related: RelatedRows) -> Iterator[Moment]:
    labels = _labels(related)
    for row in related.outcomes:
        tone, label = TONES.get(row["outcome"], "idle"), labels.get(row["event_id"], "?")
        yield Moment(row["at"], "handled", tone, row["event_id"], row, label)


def _published(related: RelatedRows) -> Iterator[Moment]:
    """Yield domain events at the time their webhook was processed, or was received while the former is unknown."""
    handled = timeline.processed_at(related)
    for row in related.events:
        at: JsonValue = handled.get(row["caused_by"], row["received_at"])
        yield Moment(at, "published", "good", row["event_id"], row, first_line(str(row["body"].get("reason") or "")))


def _mailed(related: RelatedRows) -> Iterator[Moment]:
    for row in related.mails:
        yield Moment(row["sent_at"], "mailed", "good", row["notification_id"], row)


def _refused(refusals: Iterable[Row]) -> Iterator[Moment]:
    for row in refusals:
        yield Moment(row["received_at"], "refused", "bad", row["refusal_id"], row)
