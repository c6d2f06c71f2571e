"""Records about processing: refusals, quarantined webhooks, outcomes, dead letters, notifications."""

from stream.events.record import EventId, Micros, Mode, OrderId, OutcomeKind, ProviderPhase, Record, Verification


class RejectedWebhook(Record, frozen=True, kw_only=True):
    """A refused request: its cause, and only as much of its content as an investigation needs.

    `digest` is the SHA-256 of the whole body, `excerpt` the body's beginning. `source` is the sender's IPv4 address or
    IPv6 /64. `retired_secret` is None unless the provider still signs with a secret that is no longer valid; it is then
    the fingerprint of that secret.
    """

    provider: str
    path: str
    cause: str
    headers: dict[str, str]
    digest: bytes
    excerpt: bytes
    received_at: Micros
    source: str | None = None
    retired_secret: str | None = None


class QuarantinedWebhook(Record, frozen=True, kw_only=True):
    """A webhook that is stored instead of processed, with its body as `raw`; `cause` and `detail` say why.

    It is authentic, but unreadable, unsupported or of the other mode, or its provider is paused. On the topic
    UNVERIFIED it is not authenticated, because the provider's secret is not set.
    """

    event_id: EventId
    provider: str
    mode: Mode
    cause: str
    detail: str
    verification: Verification
    received_at: Micros
    path: str
    headers: dict[str, str]
    raw: bytes


class Outcome(Record, frozen=True, kw_only=True):
    """The outcome of one record in one service, after attempt number `attempt` (from 1).

    `topic`, `partition` and `offset` are the record's position. `error` is the failure's text, or the operator's reason
    for a dismissal; None if nothing failed.
    """

    event_id: EventId
    service: str
    topic: str
    partition: int
    offset: int
    outcome: OutcomeKind
    attempt: int
    error: str | None
    at: Micros


class DeadRecord(Record, frozen=True, kw_only=True):
    """A dead letter: the bytes and position of a record that a service cannot process, and the last error.

    `key` and `value` are None if the record has none, or if they are too large to enclose.
    """

    event_id: EventId
    service: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    error: str
    at: Micros


class NotificationSent(Record, frozen=True, kw_only=True):
    """A notification was sent to a person about the domain event `event_id`. The record never contains the address.

    `again_of` is the id of the earlier notification if an operator decided to send it again; the repetition has its own
    `notification_id`.
    """

    notification_id: str
    event_id: EventId
    event_type: str
    audience: str
    channel: str
    order_id: OrderId | None
    customer_id: str | None
    locale: str
    message_id: str
    sent_at: Micros
    again_of: str | None = None


class ConsoleAction(Record, frozen=True, kw_only=True):
    """An action of a person in the console: once as `requested`, before it is carried out, and once with its result.

    Both records have the same `action_id`. `parameters` hold no secrets; `role` is the one that permitted the action.
    """

    action_id: str
    at: Micros
    user: str
    role: str
    action: str
    target: str
    parameters: dict[str, str]
    result: str
    detail: str | None


class ProviderState(Record, frozen=True, kw_only=True):
    """An operator's decision about a provider, which all gateways follow; a provider's latest record counts.

    `paused`: authentic webhooks of the provider are quarantined. `draining`: new webhooks are still quarantined, while
    the older ones are released in order. `finishing`: new webhooks are processed, and the last quarantined ones are
    released. `active`: no webhook is quarantined by the pause any more. `since` is the time when the pause began, `at`
    that of this record.
    """

    provider: str
    state: ProviderPhase
    reason: str
    by: str
    since: Micros
    at: Micros


class SecretSeen(Record, frozen=True, kw_only=True):
    """The first start of a gateway with a new value of `secret_setting`; only the value's fingerprint is published."""

    secret_setting: str
    fingerprint: str
    at: Micros
