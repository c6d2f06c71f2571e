"""The timeline of an order or a webhook in the API: one line of text per entry. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from console.domain import UNKNOWN
from console.labels import provider_word
from console.queries.lookup import RelatedRows, Row
from providers.contract import InvalidField
from providers.parsing.money import exponent
from runtime.clock import to_datetime
from runtime.json_value import JsonValue
from stream.events.text.redaction import masked_text

TimelineEntry = dict[str, JsonValue]
"""`at`, `kind` (received, handled, published, mailed), `what` (a line), and the `id` of the webhook, event or mail."""


def entries(rows: RelatedRows) -> list[TimelineEntry]:
    """Return the timeline, sorted by time; at equal times causes come first. `at` is in microseconds since 1970 UTC."""
    depth_of = depths(rows)
    unsorted = [*_received(rows.webhooks), *_published(rows), *_handled(rows), *_mailed(rows.mails)]
    return sorted(unsorted, key=lambda entry: (entry["at"], depth_of.get(entry["id"], 0)))


def depths(rows: RelatedRows) -> dict[str, int]:
    """Return, by id of each domain event and mail, the number of its causes one after the other: at least 1.

    Webhooks are in no chain; their depth is 0.
    """
    causes = {event["event_id"]: event["caused_by"] for event in rows.events}
    causes |= {mail["notification_id"]: mail["event_id"] for mail in rows.mails}
    depths: dict[str, int] = {}
    for name in causes:
        chain = [name]
        while chain[-1] in causes and causes[chain[-1]] not in chain:
            chain.append(causes[chain[-1]])
        depths[name] = len(chain) - 1
    return depths


def processed_at(rows: RelatedRows) -> dict[str, int]:
    """Return the time of the first outcome `processed` by event id, in microseconds since 1970 UTC."""
    return {row["event_id"]: row["at"] for row in reversed(rows.outcomes) if row["outcome"] == "processed"}


def _received(rows: Iterable[Row]) -> Iterable[TimelineEntry]:
    for row in rows:
        if row["received_at"] is not None:
            text = f"{row['event_type'] or UNKNOWN} from {provider_word(row['provider'])}"
            proof = f"proved by {row['verification']}" if row["verification"] else "unreadable"
            yield _entry(row["received_at"], "received", f"{text}, {proof}: {row['status']}", row["webhook_id"])


def _handled(rows: RelatedRows) -> Iterable[TimelineEntry]:
    labels = {event["event_id"]: event["type"] for event in rows.events}
    labels |= {row["webhook_id"]: row["event_type"] or UNKNOWN for row in rows.webhooks}
    for row in rows.outcomes:
        attempt = f" (try {row['attempt']})" if row["attempt"] > 1 else ""
        error = f": {_first_line(masked_text(row['error']))}" if row["error"] else ""
        text = f"{labels.get(row['event_id'], UNKNOWN)} {row['outcome']} by {row['service']}{attempt}{error}"
        yield _entry(row["at"], "handled", text, row["event_id"])


def _first_line(error: str) -> str:
    """Return the first line; databases add the rejected row below it."""
    return error.partition("\n")[0]


def _published(rows: RelatedRows) -> Iterable[TimelineEntry]:
    """Yield the domain events at the time their webhook was processed, or was received while the former is unknown."""
    handled = processed_at(rows)
    for row in rows.events:
        body = row["body"]
        reason = f": {masked_text(str(body['reason']))}" if body.get("reason") else ""
        at = handled.get(row["caused_by"], row["received_at"])
        yield _entry(at, "published", f"{row['type']}{_money(body)}{reason}{_dispute(body)}", row["event_id"])


def _dispute(body: Mapping[str, JsonValue]) -> str:
    """Return a text with a dispute's status and the deadline for evidence; empty for other events."""
    if "dispute_id" not in body:
        return ""
    due = to_datetime(body["evidence_due_by"])
    return f", {body['status']}" + (f", evidence due by {due:%Y-%m-%d %H:%M} UTC" if due else "")


def _money(body: Mapping[str, JsonValue]) -> str:
    amount, currency = body.get("amount"), body.get("currency")
    if amount is None:
        return ""
    try:
        return f" {Decimal(amount).scaleb(-exponent(currency or '')):,} {currency}"
    except InvalidField:  # crypto: a decimal text, and an asset's id
        return f" {amount}"


def _mailed(rows: Iterable[Row]) -> Iterable[TimelineEntry]:
    for row in rows:
        text = f"{row['event_type']} to the {row['audience']} by {row['channel']}"
        yield _entry(row["sent_at"], "mailed", text, row["notification_id"])


def _entry(at: JsonValue, kind: str, text: str, event_id: str) -> TimelineEntry:
    return {"at": at, "kind": kind, "what": text, "id": event_id}
