"""A webhook's type and status in the log, in contract E's terms. Pure.

The status depends only on the set of outcomes that services reported, in whatever order the console read them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from stream.events import OutcomeKind, PaymentStatus, PaymentWebhook, RefundStatus, RefundWebhook, Webhook, topics

Status = Literal["RECEIVED", "PROCESSED", "FAILED", "RETRYING", "ABANDONED"]
STATUSES: tuple[Status, ...] = ("RECEIVED", "PROCESSED", "FAILED", "RETRYING", "ABANDONED")
SUCCEEDED: frozenset[Status] = frozenset({"PROCESSED"})
UNSUCCESSFUL: frozenset[Status] = frozenset({"FAILED", "RETRYING", "ABANDONED"})

Type = Literal[
    "PAYMENT_COMPLETED", "PAYMENT_FAILED", "PAYMENT_CANCELLED", "REFUND_COMPLETED", "REFUND_FAILED", "UNKNOWN"
]
UNKNOWN: Type = "UNKNOWN"
PAUSED = "paused: "
"""The beginning of the reason of a quarantine because its provider is paused: nothing has failed then."""
PAYMENT_TYPES: dict[PaymentStatus, Type] = {
    "completed": "PAYMENT_COMPLETED",
    "failed": "PAYMENT_FAILED",
    "expired": "PAYMENT_FAILED",
    "partially_cancelled": "PAYMENT_CANCELLED",
    "cancelled": "PAYMENT_CANCELLED",
}
REFUND_TYPES: dict[RefundStatus, Type] = {"completed": "REFUND_COMPLETED", "rejected": "REFUND_FAILED"}

_WEBHOOK_TOPICS = frozenset(topic.name for topic in topics.WEBHOOKS)
"""The topics whose records are webhooks. Outcomes of records on other topics concern domain events."""

REPEATS: tuple[OutcomeKind, ...] = ("duplicate", "conflict")
"""Outcomes of a repetition, which leave the status of the webhook as it is."""
SEVERITY: dict[OutcomeKind, int] = {
    "processed": 0,
    "late": 0,
    "waiting": 1,
    "retrying": 2,
    "dead": 3,
    "dismissed": 3,
}
"""Of the latest outcomes of several services, the one with the highest severity decides a webhook's status."""


@dataclass(frozen=True, slots=True)
class OutcomeReport:
    """An outcome that a service reported for one record of a webhook or domain event.

    `attempt` begins with 1; `at` is in microseconds since 1970 UTC.
    """

    service: str
    topic: str
    partition: int
    offset: int
    outcome: OutcomeKind
    attempt: int
    error: str | None
    at: int


@dataclass(frozen=True, slots=True)
class WebhookState:
    """The status of a webhook in the log. Times are microseconds since 1970 UTC.

    `retry_count` is the number of attempts, 0 if none has failed; `last_retry_at` is the time of the last attempt after
    the first. `note` is a remark in Korean about repetitions. `settled_at` is the time of the deciding outcome, None
    without one; `first_dead_at` is when the first service dead-lettered the webhook, even if it was redriven later.
    """

    status: Status
    retry_count: int = 0
    last_retry_at: int | None = None
    error: str | None = None
    note: str | None = None
    settled_at: int | None = None
    first_dead_at: int | None = None


def type_of(webhook: Webhook) -> str:
    """Return contract E's type of a payment or refund, else the provider's event type."""
    match webhook:
        case PaymentWebhook():
            return PAYMENT_TYPES.get(webhook.payload.status, webhook.envelope.event_type)
        case RefundWebhook():
            return REFUND_TYPES.get(webhook.payload.status, webhook.envelope.event_type)
        case _:
            return webhook.envelope.event_type


def is_of_a_webhook(topic: str) -> bool:
    """Return whether the records of the topic with this name are webhooks. Other outcomes are of domain events."""
    return topic in _WEBHOOK_TOPICS


def webhook_state(
    webhook_id: str,
    reported: Iterable[OutcomeReport],
    *,
    quarantined_because: str | None = None,
    confirmed: bool = False,
) -> WebhookState:
    """Return the state of a webhook with these outcomes, in whatever order they are given.

    `quarantined_because` is the reason if the webhook was quarantined: without outcomes it is then FAILED. `confirmed`
    is True once the confirmed event that an unconfirmed webhook became has arrived: the webhook is then PROCESSED.
    """
    reports = [report for report in reported if not _is_alert_only(report)]
    note = _note(webhook_id, reports)
    latest = _latest_by_service(reports)
    if confirmed:
        return WebhookState("PROCESSED", note=note)
    if not latest:
        is_failure = quarantined_because is not None and not quarantined_because.startswith(PAUSED)
        return WebhookState("FAILED" if is_failure else "RECEIVED", error=quarantined_because, note=note)
    decisive = max(latest, key=lambda report: (SEVERITY[report.outcome], report.at, report.service))
    retried = [report for report in reports if report.outcome not in REPEATS and report.attempt > 1]
    return WebhookState(
        _status_of(decisive),
        decisive.attempt if decisive.attempt > 1 or SEVERITY[decisive.outcome] > SEVERITY["waiting"] else 0,
        max((report.at for report in retried), default=None),
        f"dismissed: {decisive.error}" if decisive.outcome == "dismissed" else decisive.error,
        note,
        decisive.at,
        min((report.at for report in reports if report.outcome == "dead"), default=None),
    )


def _is_alert_only(report: OutcomeReport) -> bool:
    """Return whether the notifier reports an alert about a quarantined webhook, by which nothing was processed."""
    return report.service == "notifier" and report.topic in (topics.QUARANTINE.name, topics.UNVERIFIED.name)


def _status_of(report: OutcomeReport) -> Status:
    match report.outcome:
        case "dead" | "dismissed":
            return "ABANDONED"
        case "retrying":
            return "RETRYING" if report.attempt > 1 else "FAILED"
        case "waiting":
            return "RECEIVED"
        case _:
            return "PROCESSED"


def _latest_by_service(reports: Sequence[OutcomeReport]) -> list[OutcomeReport]:
    """Return the latest outcome of each service, without repetitions."""
    newest: dict[str, OutcomeReport] = {}
    for report in reports:
        if report.outcome not in REPEATS:
            newest[report.service] = max(newest.get(report.service, report), report, key=report_order)
    return list(newest.values())


def report_order(report: OutcomeReport) -> tuple[object, ...]:
    """Return a key that sorts the outcomes of one service by time, at equal times by severity. REPEATS have no key."""
    position = (report.topic, report.partition, report.offset)
    return report.at, SEVERITY[report.outcome], report.outcome, report.attempt, *position, report.error or ""


def _note(webhook_id: str, reports: Sequence[OutcomeReport]) -> str | None:
    """Return a remark in Korean if the webhook came again, or another one came with its id; else None."""
    outcomes = {report.outcome for report in reports}
    if "conflict" in outcomes:
        return f"같은 ID로 내용이 다른 웹훅이 왔습니다: {webhook_id}"
    if "duplicate" in outcomes:
        return f"중복된 웹훅입니다: {webhook_id}"
    return None
