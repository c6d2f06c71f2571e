"""Builds the entries of the evidence, in the order of their times. Pure."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from evidence.collection import Collected
from evidence.redaction import without_personal_data
from evidence.reverification import SecretsOf, verify_again
from runtime import clock
from runtime.json_value import JsonValue
from stream.events import QuarantinedWebhook, Record, ShippingWebhook, Webhook
from stream.events.text.redaction import redacted
from stream.kafka.position import Position

MAIL_STATE = (
    "id status attempts error created_at sending_since sent_at resolved_at message_id locale recipient subject text"
).split()
"""The notifier's fields of a mail that are in the zip: a new one stays out until it is decided what it holds."""
Show = Callable[[JsonValue], JsonValue]
"""Returns a JSON value as the zip may have it: masked (`without_personal_data`) or `unmasked`."""


class EvidenceEntry(NamedTuple):
    """One thing that happened, at a time in ISO 8601 or "" if it is unknown.

    `kind` is received, refused, handled, published or mail; `what` is a line for people, `content` the JSON of the
    entry, `raw` the body of a webhook's request, None for the other kinds and an expired record.
    """

    at: str
    kind: str
    what: str
    content: dict[str, JsonValue]
    raw: bytes | None = None


def build(collected: Collected, secrets_of: SecretsOf, *, show: Show) -> list[EvidenceEntry]:
    """Return the entries, sorted by time; at equal times causes come first.

    Each JSON value of an entry is passed through `show`; `raw` is not. `secrets_of` gives the secrets to verify with.
    """
    kinds = ("received", "refused", "handled", "published", "mail")
    unsorted = [
        *_received(collected, secrets_of, show),
        *_refused(collected, show),
        *_handled(collected, show),
        *_published(collected, show),
        *_mails(collected, show),
    ]
    return sorted(unsorted, key=lambda entry: (entry.at, kinds.index(entry.kind)))


def unmasked(value: JsonValue) -> JsonValue:
    """Return a value unchanged."""
    return value


def _received(collected: Collected, secrets_of: SecretsOf, show: Show) -> Iterator[EvidenceEntry]:
    for webhook in collected.life["webhooks"]:
        record = _record(collected, webhook)
        what = f"{webhook['eventType'] or webhook['type']} from {webhook['provider']}"
        content = {"webhook": show(webhook), "record": webhook["record"]}
        match record:
            case Webhook(envelope=envelope):
                source: JsonValue = envelope
                content["scan"] = show(_scan(record))
                content["payload"] = show(_json(getattr(record, "payload", None)))
            case QuarantinedWebhook():
                source = record
            case _:
                yield EvidenceEntry(
                    webhook["receivedAt"] or "", "received", f"{what} (its record has expired)", content
                )
                continue
        proof = verify_again(
            source.path, source.headers, source.raw, source.received_at, source.verification, secrets_of
        )
        content |= {
            "request": {"path": source.path, "headers": show(dict(source.headers)), "body": _body(source.raw)},
            "verification": proof._asdict(),
        }
        yield EvidenceEntry(_iso(source.received_at), "received", what, content, source.raw)


def _refused(collected: Collected, show: Show) -> Iterator[EvidenceEntry]:
    for refusal in collected.refusals:
        what = f"{refusal['cause']}: an unproved request to {refusal['path']} was refused"
        yield EvidenceEntry(refusal["receivedAt"] or "", "refused", what, {"refusal": show(refusal)})


def _handled(collected: Collected, show: Show) -> Iterator[EvidenceEntry]:
    for outcome in collected.life["outcomes"]:
        what = f"{outcome['outcome']} by {outcome['service']}" + (
            f", try {outcome['attempt']}" if outcome["attempt"] > 1 else ""
        )
        yield EvidenceEntry(outcome["at"] or "", "handled", what, {"outcome": show(outcome)})


def _published(collected: Collected, show: Show) -> Iterator[EvidenceEntry]:
    for event in collected.life["domain_events"]:
        record = _record(collected, event)
        content = {"event": show(_json(record) if record else event), "record": event["record"]}
        yield EvidenceEntry(event["receivedAt"] or "", "published", event["type"], content)


def _mails(collected: Collected, show: Show) -> Iterator[EvidenceEntry]:
    sent = {mail["notificationId"]: mail for mail in collected.life["mails"]}
    for mail_id in dict.fromkeys([*sent, *collected.mails]):
        mail, state = sent.get(mail_id, {}), collected.mails.get(mail_id, {})
        status = state.get("status") or "sent"
        about = mail.get("eventType") or state.get("event_type")
        what = f"{about} to the {mail.get('audience') or state.get('audience')}: {status}"
        content = {"mail": show(mail) or None, "state": show(_mail_state(state)), "record": mail.get("record")}
        yield EvidenceEntry(mail.get("sentAt") or _utc(state.get("created_at")), "mail", what, content)


def _mail_state(state: Mapping[str, JsonValue]) -> dict[str, JsonValue] | None:
    """Return the fields MAIL_STATE of a mail; None if the notifier did not answer."""
    return {name: state.get(name) for name in MAIL_STATE} if state else None


def _scan(record: Record) -> dict[str, JsonValue] | None:
    """Return the scan of a parcel that a webhook reports; None for other webhooks."""
    if not isinstance(record, ShippingWebhook):
        return None
    payload = record.payload
    return {
        "carrier": payload.carrier,
        "trackingNumber": payload.tracking_number,
        "status": payload.status,
        "location": payload.location,
        "at": _iso(payload.scanned_at or record.envelope.occurred_at or record.envelope.received_at),
    }


def _body(raw: bytes) -> dict[str, JsonValue]:
    return {
        "sha256": hashlib.sha256(raw).hexdigest(),
        "bytes": len(raw),
        "masked": without_personal_data(redacted(raw)),
    }


def _record(collected: Collected, item: Mapping[str, JsonValue]) -> Record | None:
    return collected.records.get(Position(**item["record"])) if item["record"] else None


def _json(record: JsonValue) -> JsonValue:
    """Return a record as a JSON value; bytes become hex."""
    return msgspec.to_builtins(record, enc_hook=str) if record is not None else None


def _iso(at: int | None) -> str:
    return clock.micros_text(at) or ""


def _utc(text: str | None) -> str:
    return clock.utc_text(datetime.fromisoformat(text)) if text else ""
