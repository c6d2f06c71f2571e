"""Turns records of the topics into the entries that `hookstream tail` prints. Pure but for the codec."""

import json
from collections import OrderedDict
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import ClassVar, NamedTuple

from confluent_kafka import Message

from stream.avro.codec import Codec
from stream.dead_letters import record_view
from stream.events import (
    DomainEvent,
    NotificationSent,
    Outcome,
    QuarantinedWebhook,
    Record,
    RejectedWebhook,
    Webhook,
    order_ids,
    topics,
)
from stream.events.text.redaction import masked_text

REMEMBERED = 100_000
"""The most webhooks and domain events whose subject is remembered, because outcomes name only their ids."""
COLOURS = {
    "received": "cyan",
    "processed": "green",
    "published": "blue",
    "mailed": "magenta",
    "late": "yellow",
    "waiting": "yellow",
    "duplicate": "yellow",
    "dismissed": "yellow",
    "conflict": "red",
    "retrying": "red",
    "quarantined": "red",
    "refused": "red",
    "dead": "bright_red",
}
"""The colour of each outcome of an entry: those of the glossary, and what happens outside the services."""


@dataclass(frozen=True, slots=True)
class TailEntry:
    """One thing that happened, as a record of a topic says.

    `at` is the time of the append, in ISO 8601 with this machine's offset. `outcome` is a key of COLOURS, `what` the
    type of the webhook or event, or a path. `orders` are the orders that the record names, `cause` is the first line of
    its error. `id` is that of the event or mail, None for a refused request.
    """

    at: str
    outcome: str
    what: str
    provider: str | None
    orders: tuple[str, ...]
    cause: str | None
    id: str | None

    @property
    def colour(self) -> str:
        return COLOURS.get(self.outcome, "white")

    def line(self) -> str:
        """Return the entry as one line for people, with the time of day alone."""
        order = f"order {', '.join(self.orders)}" if self.orders else "no order"
        parts = (self.at[11:23], f"{self.outcome:11}", f"{self.provider or '-':12}", order, self.what, self.id or "")
        return "  ".join((*parts, *([self.cause] if self.cause else ()))).rstrip()

    def as_json(self) -> str:
        """Return the entry as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Filters:
    """The entries to print; a field that is None selects all. `cause` is a part of the cause, given in lower case."""

    provider: str | None = None
    order: str | None = None
    outcome: str | None = None
    cause: str | None = None

    def match(self, entry: TailEntry) -> bool:
        """Return whether every field selects this entry."""
        return (
            self.provider in (None, entry.provider)
            and (self.order is None or self.order in entry.orders)
            and self.outcome in (None, entry.outcome)
            and (self.cause is None or self.cause in (entry.cause or "").lower())
        )


class Subject(NamedTuple):
    """The provider and the order of a webhook or a domain event, and its type; a quarantined webhook's path."""

    provider: str | None
    order: str | None
    name: str


UNKNOWN = Subject(None, None, "an event from before")
"""The subject of an event whose own record was not read, or is no longer remembered."""


class Tail:
    """Reads the records of TOPICS in order; remembers the subjects of the newest REMEMBERED webhooks and events."""

    TOPICS: ClassVar = (*topics.WEBHOOKS, topics.REFUSALS, *topics.DOMAIN_EVENTS, topics.OUTCOMES, topics.NOTIFICATIONS)

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._subjects: OrderedDict[str, Subject] = OrderedDict()

    def read(self, message: Message) -> TailEntry | None:
        """Return the entry of a record; None for a record that is not shown.

        Not shown are records that cannot be decoded or have another type, and the outcomes that a topic of the
        quarantine repeats.
        """
        record, _ = record_view.decode(self._codec, message.value())
        at = datetime.fromtimestamp(message.timestamp()[1] / 1000).astimezone().isoformat(timespec="milliseconds")
        # The quarantine's topics repeat the outcomes of released webhooks.
        is_repeated = isinstance(record, Outcome) and message.topic() != topics.OUTCOMES.name
        return None if record is None or is_repeated else self._entry(at, record)

    def _entry(self, at: str, record: Record) -> TailEntry | None:  # noqa: PLR0911 - one for each kind of record
        match record:
            case Webhook():
                subject = Subject(record.envelope.provider, _order(record), record.envelope.event_type)
                self._remember(record.envelope.event_id, subject)
                return _entry(at, "received", subject, record.envelope.event_id, subject.name)
            case QuarantinedWebhook():
                subject = Subject(record.provider, None, record.path)
                self._remember(record.event_id, subject)
                cause = f"{record.cause}: {record.detail}"
                return _entry(at, "quarantined", subject, record.event_id, record.path, cause)
            case RejectedWebhook():
                orders = order_ids.find(record.provider, record.excerpt)
                return TailEntry(at, "refused", record.path, record.provider, orders, record.cause, None)
            case DomainEvent():
                provider = getattr(record, "provider", None) or self._subject(record.caused_by).provider
                subject = Subject(provider, record.order_id, type(record).__name__)
                self._remember(record.event_id, subject)
                return _entry(at, "published", subject, record.event_id, subject.name)
            case NotificationSent():
                subject = Subject(self._subject(record.event_id).provider, record.order_id, record.event_type)
                return _entry(at, "mailed", subject, record.notification_id, f"{subject.name} to the {record.audience}")
            case Outcome():
                subject = self._subject(record.event_id)
                what = f"{subject.name} by {record.service}" + (f", try {record.attempt}" if record.attempt > 1 else "")
                return _entry(at, record.outcome, subject, record.event_id, what, record.error)
            case _:
                return None

    def _remember(self, event_id: str, subject: Subject) -> None:
        self._subjects[event_id] = subject
        if len(self._subjects) > REMEMBERED:
            self._subjects.popitem(last=False)

    def _subject(self, event_id: str) -> Subject:
        return self._subjects.get(event_id, UNKNOWN)


def _entry(at: str, outcome: str, subject: Subject, event_id: str, what: str, error: str | None = None) -> TailEntry:
    orders = (subject.order,) if subject.order else ()
    cause = masked_text(error.partition("\n")[0]) if error else None
    return TailEntry(at, outcome, what, subject.provider, orders, cause, event_id)


def _order(webhook: Webhook) -> str | None:
    payload = getattr(webhook, "payload", None)
    return getattr(payload, "order_id", None) or getattr(payload, "invoice_id", None)
