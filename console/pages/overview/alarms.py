"""The alarms of the overview, most urgent first, each with the page on which to act. Pure.

What is sent to a person who does not look is an alert: console/alerts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from console.alerts import limits
from console.pages.overview import wrong_signatures
from console.queries.quarantine import SignatureFailures
from console.web.rendering.texts import Reported
from console.web.services import ServiceStatus

OLD_S, VERY_OLD_S = 30.0, limits.OLDEST_EVENT_S
"""The age in seconds of the oldest unprocessed record, beyond which a service is behind (warn), or far behind (bad)."""
SILENT_S, LONG_SILENT_S = 15.0, 300.0
"""The seconds without an answer to any mail, from which the mail server may be stuck (warn, then bad).

15 s are longer than the mail server takes to restart, and than one reply may take (MAIL_TIMEOUT_S).
"""
OLD_MAIL_S = 600.0
"""The age in seconds of the oldest mail to send, beyond which the server seems to postpone mails, though it answers.

Greylisting takes five minutes.
"""
Tone = Literal["bad", "warn"]
MAILS: dict[str, tuple[Tone, str]] = {
    "unknown": ("bad", "alarm.mails_unknown"),
    "failed": ("bad", "alarm.mails_failed"),
    "no_recipient": ("warn", "alarm.mails_no_recipient"),
    "stale": ("warn", "alarm.mails_stale"),
}
"""The statuses of mails that need a person, with the tone and the key of their alarms."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that needs a person: the key and values of its text, and the section and path of the page to act on."""

    tone: Tone
    key: str
    section: str
    path: str
    values: Mapping[str, object] = field(default_factory=dict)


def alarms(
    services: Iterable[ServiceStatus],
    refused: Mapping[str, SignatureFailures],
    deaths: Mapping[str, int],
) -> list[Alarm]:
    """Return everything that needs a person, `bad` alarms before those that `warn`.

    `refused` has the requests refused for their signature of each provider of which these are an alarm, as
    `wrong_signatures.select` returns them. `deaths` are the numbers of dead events by service.
    """
    statuses = list(services)
    found = [
        *_of_services(statuses),
        *_of_deaths(deaths),
        *_of_backlogs(statuses),
        *_of_mails(statuses),
        *_of_secrets(refused),
    ]
    return sorted(found, key=lambda alarm: alarm.tone != "bad")


def _of_services(statuses: list[ServiceStatus]) -> Iterator[Alarm]:
    for service in statuses:
        values = {"service": service.name}
        if not service.reachable:
            yield Alarm("bad", "alarm.unreachable", "overview", "#services", values)
        for problem in service.problems:
            yield Alarm("bad", "alarm.problem", "overview", "#services", {**values, "problem": Reported(problem)})
        for warning in service.warnings:
            yield Alarm("warn", "alarm.problem", "overview", "#services", {**values, "problem": Reported(warning)})
        if service.spool_refused:
            yield Alarm("bad", "alarm.spool_refused", "overview", "#services", values)


def _of_deaths(deaths: Mapping[str, int]) -> Iterator[Alarm]:
    for service, count in deaths.items():
        if count:
            yield Alarm(
                "bad", "alarm.dead", "issues", f"/issues?service={service}", {"service": service, "count": count}
            )


def _of_backlogs(statuses: list[ServiceStatus]) -> Iterator[Alarm]:
    for service in statuses:
        values = {"service": service.name}
        if service.retrying:
            path = "/webhooks?status=RETRYING"
            yield Alarm("warn", "alarm.retrying", "webhooks", path, {**values, "count": service.retrying})
        if service.age_s > OLD_S:
            tone: Tone = "bad" if service.age_s > VERY_OLD_S else "warn"
            late = {**values, "age": timedelta(seconds=service.age_s), "count": service.lag}
            yield Alarm(tone, "alarm.behind", "overview", "#services", late)
        if service.spooled:
            yield Alarm("warn", "alarm.spooled", "overview", "#services", {"count": service.spooled})


def _of_mails(statuses: list[ServiceStatus]) -> Iterator[Alarm]:
    for service in statuses:
        if service.mail_silent_s >= SILENT_S:
            urgency: Tone = "bad" if service.mail_silent_s >= LONG_SILENT_S else "warn"
            age = timedelta(seconds=service.mail_silent_s)
            yield Alarm(urgency, "alarm.mails_stuck", "mails", "/mails?status=queued", {"age": age})
        elif service.oldest_mail_s > OLD_MAIL_S:
            age = timedelta(seconds=service.oldest_mail_s)
            yield Alarm("warn", "alarm.mails_late", "mails", "/mails?status=queued", {"age": age})
        for status, (tone, key) in MAILS.items():
            if count := service.mails.get(status, 0):
                yield Alarm(tone, key, "mails", f"/mails?status={status}", {"count": count})


def _of_secrets(refused: Mapping[str, SignatureFailures]) -> Iterator[Alarm]:
    for provider, failures in refused.items():
        key, values = wrong_signatures.text_of(provider, failures)
        yield Alarm("bad", key, "quarantine", f"/quarantine?provider={provider}", values)
