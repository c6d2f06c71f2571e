"""Alerts and the messages about them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from runtime.clock import to_datetime
from runtime.json_value import JsonValue
from stream.events import ids

Kind = Literal["issue", "dead_event", "unknown_mail", "oldest_event", "provider_silent", "secret_failing"]
TITLES: dict[Kind, tuple[str, str]] = {
    "issue": ("open issue", "open issues"),
    "dead_event": ("service with dead events", "services with dead events"),
    "unknown_mail": ("report of unknown mails", "reports of unknown mails"),
    "oldest_event": ("late service", "late services"),
    "provider_silent": ("silent provider", "silent providers"),
    "secret_failing": ("failing secret", "failing secrets"),
}
KINDS: tuple[Kind, ...] = tuple(TITLES)
LISTED = 20
"""The most subjects that one message lists."""
HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is wrong now: its subject within the kind, a sentence, and how many events, mails or requests."""

    subject: str
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Open:
    """An alert that is open in the store. `sent_at` is None until a message has named it."""

    subject: str
    text: str
    count: int
    opened_at: int
    sent_at: int | None


@dataclass(frozen=True, slots=True)
class Message:
    """A message about all open alerts of one kind, or that they are over. `at` is in microseconds since 1970 UTC."""

    kind: Kind
    state: Literal["open", "over"]
    at: int
    alerts: tuple[Open, ...]

    @property
    def message_id(self) -> str:
        """The id of the message: the same alerts, told at the same time, are the same message."""
        return ids.domain_event_id("AlertMessage", self.kind, self.state, str(self.at))

    @property
    def title(self) -> str:
        """One line: how many of what."""
        one, several = TITLES[self.kind]
        count = len(self.alerts)
        return f"over: no more {several}" if self.state == "over" else f"{count} {one if count == 1 else several}"

    def text(self) -> str:
        """Return the message as lines of text."""
        lines = [f"hookstream: {self.title}", *(f"- {alert.text}" for alert in self.alerts[:LISTED])]
        more = len(self.alerts) - LISTED
        return "\n".join([*lines, *([f"- and {more} more"] if more > 0 else [])])

    def data(self) -> dict[str, JsonValue]:
        """Return the message as JSON: the `data` of a Standard Webhooks payload."""
        return {
            "kind": self.kind,
            "state": self.state,
            "title": self.title,
            "count": sum(alert.count for alert in self.alerts),
            "alerts": [
                {"subject": alert.subject, "text": alert.text, "count": alert.count, "since": _iso(alert.opened_at)}
                for alert in self.alerts[:LISTED]
            ],
            "more": max(0, len(self.alerts) - LISTED),
            "text": self.text(),
        }


def due(
    kind: Kind, opened: Sequence[Open], ended: Sequence[Open], last_at: int | None, now: int, interval_us: int
) -> Message | None:
    """Return the message that is due about a kind, or None.

    `opened` are the alerts that are open now, `ended` those that were told and are over, `last_at` is the time of the
    last message that told of this kind. New alerts are told in one message, at the earliest `interval_us` after the
    last; when all are over, that is told at once.
    """
    if any(alert.sent_at is None for alert in opened):
        is_early = last_at is not None and now - last_at < interval_us
        return None if is_early else Message(kind, "open", now, tuple(opened))
    return Message(kind, "over", now, tuple(ended)) if ended and not opened else None


def unusual_quiet(hours: Iterable[int], now: int, threshold_us: int) -> int | None:
    """Return for how long a provider has been silent, in microseconds, if that is unusual; else None.

    `hours` are the starts of the hours in which it posted. It is unusual when it exceeds the threshold and twice its
    longest silence between those hours.
    """
    starts = sorted(hours)
    if len(starts) < 2:  # noqa: PLR2004 - nothing to compare with
        return None
    longest = max(later - earlier for earlier, later in pairwise(starts))
    silent = now - (starts[-1] + HOUR_US)
    return silent if silent > max(threshold_us, 2 * longest) else None


def webhook_payload(message_id: str, data: Mapping[str, JsonValue], at: int) -> dict[str, JsonValue]:
    """Return the payload of a Standard Webhook; `message_id` is also its `webhook-id`."""
    return {"type": f"alert.{data['state']}", "timestamp": _iso(at), "id": message_id, "data": dict(data)}


def slack_payload(text: str) -> dict[str, JsonValue]:
    """Return the payload of a Slack-compatible incoming webhook; Slack takes these three characters as markup."""
    return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}


def _iso(at: int) -> str:
    instant = to_datetime(at)
    return instant.isoformat().replace("+00:00", "Z") if instant else ""
