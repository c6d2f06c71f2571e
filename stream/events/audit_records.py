"""What is kept of what happened on the way: refusals, quarantine, outcomes, dead letters, mails."""

from stream.events.record import Mode, OutcomeKind, Record, Verification


class RejectedWebhook(Record, frozen=True, kw_only=True):
    """A refused request: its cause, and no more of it than an investigation needs."""

    provider: str
    path: str
    cause: str
    headers: dict[str, str]
    digest: bytes
    excerpt: bytes
    received_at: int


class QuarantinedWebhook(Record, frozen=True, kw_only=True):
    """Genuine but unreadable or unsupported: its bytes, kept until somebody can read them."""

    event_id: str
    provider: str
    mode: Mode
    cause: str
    detail: str
    verification: Verification
    received_at: int
    path: str
    headers: dict[str, str]
    raw: bytes


class Outcome(Record, frozen=True, kw_only=True):
    """The outcome of one record in one service. After a dismissal `error` is the operator's reason."""

    event_id: str
    service: str
    topic: str
    partition: int
    offset: int
    outcome: OutcomeKind
    attempt: int
    error: str | None
    at: int


class DeadRecord(Record, frozen=True, kw_only=True):
    """A record a service gave up on: its bytes, where it stood, and why."""

    event_id: str
    service: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    error: str
    at: int


class NotificationSent(Record, frozen=True, kw_only=True):
    """A person was told a fact. Names the customer, never the address."""

    notification_id: str
    fact_id: str
    fact_type: str
    audience: str
    channel: str
    order_id: str | None
    customer_id: str | None
    locale: str
    message_id: str
    sent_at: int
