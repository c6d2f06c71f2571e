"""Finds what is wrong now, in the log and at the services' management listeners."""

import re
from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from console.alerts import domain, log_queries
from console.alerts.domain import HOUR_US, Alert, Kind
from console.alerts.settings import Thresholds
from runtime.clients.management_client import ManagementClient, ServiceRefused, ServiceUnreachable
from runtime.clock import DAY_US
from runtime.plain_text import counted
from stream.events.text.redaction import masked_text

AGE = re.compile(r"^hookstream_event_age_seconds\{[^}]*\} ([\d.e+]+)$", re.MULTILINE)
REGULAR_DAYS, REGULAR_WEBHOOKS = 14, 20
"""A provider with REGULAR_WEBHOOKS or more in REGULAR_DAYS posts regularly; the silence of others is no alert."""
Found = Mapping[Kind, list[Alert]]
"""The alerts by kind, an empty list if nothing is wrong.

A kind that could not be checked is missing, so that its stored alerts stay as they are.
"""
WrongSignatures = Callable[[Connection, int], Mapping[str, tuple[int, str]]]
"""Returns by provider the number of requests with a wrong signature and a text about them."""


class Conditions:
    """Checks all conditions of alerts: some in the log, some at the services whose addresses `client` has.

    `wrong_signatures` returns the requests that were refused for them in the ten minutes before a time.
    """

    def __init__(self, thresholds: Thresholds, client: ManagementClient, wrong_signatures: WrongSignatures) -> None:
        self._thresholds = thresholds
        self._client = client
        self._wrong_signatures = wrong_signatures
        self._answered_at: dict[str, int] = {}

    def of_services(self, now: int) -> Found:
        """Return `oldest_event` and `unknown_mail` alerts from the services; `now` is in microseconds since 1970 UTC.

        The age of the oldest event is not checked at the gateway. Each service may take seconds to answer, so no
        transaction may be open. One that does not answer is an alert once that lasts longer than the threshold; unknown
        mails are left out when the notifier does not answer.
        """
        found: dict[Kind, list[Alert]] = {}
        if self._client.urls:
            workers = [name for name in self._client.urls if name != "gateway"]
            found["oldest_event"] = [alert for name in workers if (alert := self._oldest(name, now))]
        if "notifier" in self._client.urls:
            try:
                unknown = self._client.get("notifier", "/mails", status="unknown", limit=1)["counts"]["unknown"]
            except (ServiceRefused, ServiceUnreachable, LookupError):
                return found
            text = f"{counted(unknown, 'mail')} may or may not have been sent: hookstream mail list --status unknown"
            found["unknown_mail"] = [Alert("mails", text, unknown)] if unknown else []
        return found

    def of_log(self, tx: Connection, now: int) -> Found:
        """Return the alerts of all other kinds, from the log; `now` is in microseconds since 1970 UTC."""
        issues = log_queries.dead_issues(tx)
        services: dict[str, int] = {}
        for issue in issues:
            services[issue.service] = services.get(issue.service, 0) + issue.dead
        unseen = [issue for issue in issues if not issue.acknowledged]
        return {
            "issue": [Alert(issue.issue_id, _issue_text(issue), issue.dead) for issue in unseen],
            "dead_event": [Alert(service, _dead_text(service, count), count) for service, count in services.items()],
            "provider_silent": self._silent(tx, now),
            "secret_failing": self._of_secrets(tx, now),
        }

    def _oldest(self, service: str, now: int) -> Alert | None:
        limit = self._thresholds.oldest_event_s
        try:
            response = self._client.read(service, "/metrics")
        except ServiceUnreachable:
            away_s = (now - self._answered_at.setdefault(service, now)) // 1_000_000
            text = f"{service} has not answered for {away_s} s, so the age of its oldest event is not known"
            return Alert(service, text, 1) if away_s > limit else None
        self._answered_at[service] = now
        age = max(map(float, AGE.findall(response.body.decode(errors="replace"))), default=0.0)
        text = f"{service}: its oldest event waits for {age:.0f} s (see `hookstream status`)"
        return Alert(service, text, 1) if age > limit else None

    def _silent(self, tx: Connection, now: int) -> list[Alert]:
        threshold = int(self._thresholds.silent_s * 1_000_000)
        if not threshold:
            return []
        hours = log_queries.active_hours(tx, HOUR_US, now - REGULAR_DAYS * DAY_US, REGULAR_WEBHOOKS)
        silences = {name: domain.unusual_silence_us(starts, now, threshold) for name, starts in hours.items()}
        return [
            Alert(name, f"{name} has posted nothing for {counted(silent // HOUR_US, 'hour')}, which is unusual", 1)
            for name, silent in silences.items()
            if silent is not None
        ]

    def _of_secrets(self, tx: Connection, now: int) -> list[Alert]:
        return [
            Alert(name, f"{text} hookstream refusals list --cause invalid_signature", count)
            for name, (count, text) in self._wrong_signatures(tx, now).items()
            if count >= self._thresholds.failing_signatures
        ]


def _issue_text(issue: log_queries.DeadIssue) -> str:
    return f"{issue.service}: {issue.cause}: {masked_text(issue.line)} ({counted(issue.dead, 'event')})"


def _dead_text(service: str, count: int) -> str:
    return f"{service}: {counted(count, 'dead event')}: hookstream dead list --service {service} --status dead"
