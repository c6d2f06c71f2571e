"""What the log says of a webhook: its type in contract E's words, and where it stands. Pure.

A webhook's standing is a function of the set of what services said of it, in whatever order the console heard them.
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
PAYMENT_TYPES: dict[PaymentStatus, Type] = {
    "completed": "PAYMENT_COMPLETED",
    "failed": "PAYMENT_FAILED",
    "expired": "PAYMENT_FAILED",
    "partially_cancelled": "PAYMENT_CANCELLED",
    "cancelled": "PAYMENT_CANCELLED",
}
REFUND_TYPES: dict[RefundStatus, Type] = {"completed": "REFUND_COMPLETED", "rejected": "REFUND_FAILED"}

_NAMES = frozenset(topic.name for topic in topics.WEBHOOKS)
"""Topics whose records are webhooks: an outcome of a record of another topic is that of a domain event."""

REPEATS: tuple[OutcomeKind, ...] = ("duplicate", "conflict")
WEIGHT: dict[OutcomeKind, int] = {
    "processed": 0,
    "late": 0,
    "waiting": 1,
    "retrying": 2,
    "abandoned": 3,
    "dismissed": 3,
}
"""Of two services the heavier word counts: the webhook is done when nobody has anything left to do."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a service said became of one record of the webhook, and when (microseconds)."""

    service: str
    topic: str
    partition: int
    offset: int
    outcome: OutcomeKind
    attempt: int
    error: str | None
    at: int


@dataclass(frozen=True, slots=True)
class Standing:
    """`retry_count`: how often it was tried, 0 while nothing went wrong. `settled_at`: when what decides was said.

    `given_up_at`: when the first service gave up on it, whatever became of it later.
    """

    status: Status
    retry_count: int = 0
    last_retry_at: int | None = None
    error: str | None = None
    note: str | None = None
    settled_at: int | None = None
    given_up_at: int | None = None


def type_of(webhook: Webhook) -> str:
    """Contract E's word for a payment or a refund of any provider, the provider's own where E has none.

    `UNKNOWN` is for what nobody could read.
    """
    match webhook:
        case PaymentWebhook():
            return PAYMENT_TYPES.get(webhook.notice.status, webhook.envelope.event_type)
        case RefundWebhook():
            return REFUND_TYPES.get(webhook.notice.status, webhook.envelope.event_type)
        case _:
            return webhook.envelope.event_type


def is_of_a_webhook(topic: str) -> bool:
    """Whether the records of a topic are webhooks, and not facts."""
    return topic in _NAMES


def standing(
    webhook_id: str, said: Iterable[Statement], *, aside: str | None = None, confirmed: bool = False
) -> Standing:
    """Where a webhook stands after all that was said of it.

    `aside`: why it was kept aside unhandled, if it was. `confirmed`: whether the event that it asked for is here.
    """
    statements = [one for one in said if not _only_tells(one)]
    note = _note(webhook_id, statements)
    words = _last_words(statements)
    if confirmed:
        return Standing("PROCESSED", note=note)
    if not words:
        return Standing("FAILED", error=aside, note=note) if aside else Standing("RECEIVED", note=note)
    decisive = max(words, key=lambda word: (WEIGHT[word.outcome], word.at, word.service))
    tried = [word for word in statements if word.outcome not in REPEATS and word.attempt > 1]
    return Standing(
        _status(decisive),
        decisive.attempt if decisive.attempt > 1 or WEIGHT[decisive.outcome] > WEIGHT["waiting"] else 0,
        max((word.at for word in tried), default=None),
        f"dismissed: {decisive.error}" if decisive.outcome == "dismissed" else decisive.error,
        note,
        decisive.at,
        min((word.at for word in statements if word.outcome == "abandoned"), default=None),
    )


def _only_tells(one: Statement) -> bool:
    """Return whether the notifier only alerted the operator of a quarantined webhook, which processes nothing."""
    return one.service == "notifier" and one.topic in (topics.QUARANTINE.name, topics.UNVERIFIED.name)


def _status(word: Statement) -> Status:
    match word.outcome:
        case "abandoned" | "dismissed":
            return "ABANDONED"
        case "retrying":
            return "RETRYING" if word.attempt > 1 else "FAILED"
        case "waiting":
            return "RECEIVED"
        case _:
            return "PROCESSED"


def _last_words(statements: Sequence[Statement]) -> list[Statement]:
    """What each service said last, which is what holds: a retried webhook may be abandoned and redriven."""
    last: dict[str, Statement] = {}
    for word in statements:
        if word.outcome not in REPEATS:
            last[word.service] = max(last.get(word.service, word), word, key=_order)
    return list(last.values())


def _order(word: Statement) -> tuple[object, ...]:
    stood = (word.topic, word.partition, word.offset)
    return word.at, WEIGHT[word.outcome], word.outcome, word.attempt, *stood, word.error or ""


def _note(webhook_id: str, statements: Sequence[Statement]) -> str | None:
    """What is remarkable though nothing went wrong: that it came again, or that another came under its id."""
    outcomes = {word.outcome for word in statements}
    if "conflict" in outcomes:
        return f"같은 ID로 내용이 다른 웹훅이 왔습니다: {webhook_id}"
    if "duplicate" in outcomes:
        return f"중복된 웹훅입니다: {webhook_id}"
    return None
