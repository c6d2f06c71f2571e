"""Records about processing: rejected and quarantined webhooks, outcomes, dead letters, notifications."""

from stream.events.record import Mode, OutcomeKind, Record, Verification


class RejectedWebhook(Record, frozen=True, kw_only=True):
    """A rejected request: its cause, and only as much of its content as an investigation needs.

    `digest` is the SHA-256 of the whole body, `excerpt` the body's beginning.
    """

    provider: str
    path: str
    cause: str
    headers: dict[str, str]
    digest: bytes
    excerpt: bytes
    received_at: int


class QuarantinedWebhook(Record, frozen=True, kw_only=True):
    """A genuine webhook that cannot be read or is not supported; `raw` is its body, stored until it can be read."""

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
    """The outcome of one record in one service, after attempt number `attempt`.

    `error` is the failure's text; after a dismissal it is the operator's reason.
    """

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
    """A dead letter: the bytes and position of a record that a service cannot process, and the last error."""

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
    """A notification was sent to a person about the domain event `fact_id`. It never contains the address."""

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


class ConsoleAction(Record, frozen=True, kw_only=True):
    """An action of a person in the console: once as `requested`, before it is carried out, and once with its result.

    Both records have the same `action_id`. `parameters` hold no secrets; `role` is the one that permitted the action.
    """

    action_id: str
    at: int
    user: str
    role: str
    action: str
    target: str
    parameters: dict[str, str]
    result: str
    detail: str | None
