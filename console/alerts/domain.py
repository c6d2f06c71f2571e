"""Alerts, the messages about them, and when a message is due. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from runtime import clock
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
"""The most alerts that one message lists; further ones are only counted."""
HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is wrong now.

    `subject` identifies it within its kind, such as a service or an issue; `text` is a sentence about it; `count` is
    the number of its events, mails or requests, 1 if nothing is counted.
    """

    subject: str
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """An alert as the store has it; also one that is over and still has to be reported.

    `opened_at` and `sent_at` are in microseconds since 1970 UTC; `sent_at` is None until a message names the alert.
    """

    subject: str
    text: str
    count: int
    opened_at: int
    sent_at: int | None


@dataclass(frozen=True, slots=True)
class AlertMessage:
    """A message about all open alerts of one kind, or (`over`) that they have all ended.

    `at` is when the message was made, in microseconds since 1970 UTC.
    """

    kind: Kind
    state: Literal["open", "over"]
    at: int
    alerts: tuple[StoredAlert, ...]

    @property
    def message_id(self) -> str:
        """The id of the message, a UUID made of kind, state and time."""
        return ids.domain_event_id("AlertMessage", self.kind, self.state, str(self.at))

    @property
    def title(self) -> str:
        """One line, such as `2 late services`, or `over: no more late services`."""
        singular, plural = TITLES[self.kind]
        count = len(self.alerts)
        return f"over: no more {plural}" if self.state == "over" else f"{count} {singular if count == 1 else plural}"

    def text(self) -> str:
        """Return the message as text: title, a line for each of the first LISTED alerts, and the number of others."""
        lines = [f"hookstream: {self.title}", *(f"- {alert.text}" for alert in self.alerts[:LISTED])]
        more = len(self.alerts) - LISTED
        return "\n".join([*lines, *([f"- and {more} more"] if more > 0 else [])])

    def data(self) -> dict[str, JsonValue]:
        """Return the message as JSON: the `data` of a Standard Webhooks payload.

        `alerts` has the first LISTED alerts, `more` is the number of the others, `count` the sum over all of them.
        """
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
    kind: Kind,
    opened: Sequence[StoredAlert],
    ended: Sequence[StoredAlert],
    last_at: int | None,
    now: int,
    interval_us: int,
) -> AlertMessage | None:
    """Return the message that is due about a kind, or None if none is. Times are microseconds since 1970 UTC.

    `opened` are the open alerts, `ended` those that a message named and that are over since, `last_at` is the time of
    the last message about open alerts of the kind. As soon as an open alert was in no message yet, a message with all
    open alerts is due, but not before `interval_us` after `last_at`. When none is open any more, a message that they
    are over is due at once.
    """
    if any(alert.sent_at is None for alert in opened):
        is_early = last_at is not None and now - last_at < interval_us
        return None if is_early else AlertMessage(kind, "open", now, tuple(opened))
    return AlertMessage(kind, "over", now, tuple(ended)) if ended and not opened else None


def unusual_silence_us(hours: Iterable[int], now: int, threshold_us: int) -> int | None:
    """Return for how long a provider has been silent, in microseconds, if that is unusual; else None.

    `hours` are the starts of the hours in which the provider posted. Its silence since the end of the last one is
    unusual when it exceeds `threshold_us` and twice the longest distance between those hours. With fewer than two hours
    there is nothing to compare with, so None is returned.
    """
    starts = sorted(hours)
    if len(starts) < 2:  # noqa: PLR2004 - nothing to compare with
        return None
    longest = max(later - earlier for earlier, later in pairwise(starts))
    silent = now - (starts[-1] + HOUR_US)
    return silent if silent > max(threshold_us, 2 * longest) else None


def webhook_payload(message_id: str, data: Mapping[str, JsonValue], at: int) -> dict[str, JsonValue]:
    """Return the body of a Standard Webhook about a message.

    `message_id` is also its header `webhook-id`, `data` is `AlertMessage.data()`, `at` the time at which the message
    was made, in microseconds since 1970 UTC.
    """
    return {"type": f"alert.{data['state']}", "timestamp": _iso(at), "id": message_id, "data": dict(data)}


def slack_payload(text: str) -> dict[str, JsonValue]:
    """Return the body of a Slack-compatible incoming webhook, with the characters &, < and > escaped."""
    return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}


def _iso(at: int) -> str:
    return clock.micros_text(at) or ""
