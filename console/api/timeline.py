"""What happened to an order or a webhook, one event after the other, each in a line for a person. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from console.api.labels import provider_word
from console.api.queries import Row, Story
from console.domain import UNKNOWN
from providers.contract import InvalidField
from providers.parsing.money import exponent
from runtime.clock import moment
from stream.events.redaction import masked_text

Event = dict[str, Any]


def told(story: Story) -> list[Event]:
    """All that happened, in the order of the clocks that saw it; `at` in microseconds since 1970."""
    depths = _depths(story)
    events = [*_received(story.webhooks), *_announced(story), *_handled(story), *_mailed(story.mails)]
    return sorted(events, key=lambda event: (event["at"], depths.get(event["id"], 0)))


def _depths(story: Story) -> dict[str, int]:
    """How far down the chain of causes each fact and mail stands: of one instant, the cause is told first."""
    causes = {fact["fact_id"]: fact["caused_by"] for fact in story.facts}
    causes |= {mail["notification_id"]: mail["fact_id"] for mail in story.mails}
    depths: dict[str, int] = {}
    for name in causes:
        chain = [name]
        while chain[-1] in causes and causes[chain[-1]] not in chain:
            chain.append(causes[chain[-1]])
        depths[name] = len(chain) - 1
    return depths


def _received(rows: Iterable[Row]) -> Iterable[Event]:
    for row in rows:
        if row["received_at"] is not None:
            what = f"{row['event_type'] or UNKNOWN} from {provider_word(row['provider'])}"
            proof = f"proved by {row['verification']}" if row["verification"] else "unreadable"
            yield _event(row["received_at"], "received", f"{what}, {proof}: {row['status']}", row["webhook_id"])


def _handled(story: Story) -> Iterable[Event]:
    names = {fact["fact_id"]: fact["type"] for fact in story.facts}
    names |= {row["webhook_id"]: row["event_type"] or UNKNOWN for row in story.webhooks}
    for row in story.outcomes:
        attempt = f" (try {row['attempt']})" if row["attempt"] > 1 else ""
        error = f": {_first_line(masked_text(row['error']))}" if row["error"] else ""
        what = f"{names.get(row['event_id'], UNKNOWN)} {row['outcome']} by {row['service']}{attempt}{error}"
        yield _event(row["at"], "handled", what, row["event_id"])


def _first_line(error: str) -> str:
    """What a database adds below is the row it refused."""
    return error.partition("\n")[0]


def _announced(story: Story) -> Iterable[Event]:
    """A fact says when its webhook was received; it was announced when that was handled."""
    handled = {row["event_id"]: row["at"] for row in reversed(story.outcomes) if row["outcome"] == "processed"}
    for row in story.facts:
        body = row["body"]
        reason = f": {masked_text(str(body['reason']))}" if body.get("reason") else ""
        at = handled.get(row["caused_by"], row["received_at"])
        yield _event(at, "announced", f"{row['type']}{_money(body)}{reason}{_dispute(body)}", row["fact_id"])


def _dispute(body: Mapping[str, Any]) -> str:
    """A dispute's state, and until when the bank takes an answer."""
    if "dispute_id" not in body:
        return ""
    due = moment(body["evidence_due_by"])
    return f", {body['status']}" + (f", evidence due by {due:%Y-%m-%d %H:%M} UTC" if due else "")


def _money(body: Mapping[str, Any]) -> str:
    amount, currency = body.get("amount"), body.get("currency")
    if amount is None:
        return ""
    try:
        return f" {Decimal(amount).scaleb(-exponent(currency or '')):,} {currency}"
    except InvalidField:  # crypto: a decimal text, and an asset's id
        return f" {amount}"


def _mailed(rows: Iterable[Row]) -> Iterable[Event]:
    for row in rows:
        what = f"{row['fact_type']} to the {row['audience']} by {row['channel']}"
        yield _event(row["sent_at"], "mailed", what, row["notification_id"])


def _event(at: Any, kind: str, what: str, event_id: str) -> Event:
    return {"at": at, "kind": kind, "what": what, "id": event_id}
