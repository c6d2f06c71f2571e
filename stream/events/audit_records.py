"""Records about processing: refusals, quarantined webhooks, outcomes, dead letters, notifications."""

from stream.events.record import EventId, Micros, Mode, OutcomeKind, ProviderPhase, Record, Verification


class RejectedWebhook(Record, frozen=True, kw_only=True):
    """A refused request: its cause, and only as much of its content as an investigation needs.

    `digest` is the SHA-256 of the whole body, `excerpt` the body's beginning. `source` is the sender's IPv4 address or
    IPv6 /64. `retired_secret` is the fingerprint of a secret that is no longer valid and with which the signature is
    right: the provider still signs with it.
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
    """A genuine webhook that cannot be read or is not supported; `raw` is its body, stored until it can be read."""

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
    """The outcome of one record in one service, after attempt number `attempt`.

    `error` is the failure's text; after a dismissal it is the operator's reason.
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
    """A dead letter: the bytes and position of a record that a service cannot process, and the last error."""

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
    """A notification was sent to a person about the domain event `event_id`. It never contains the address.

    `again_of` is the notification that an operator decided to send again as this one.
    """

    notification_id: str
    event_id: EventId
    event_type: str
    audience: str
    channel: str
    order_id: str | None
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
    """An operator's decision about a provider, which all gateways follow; the latest one of a provider counts.

    `paused`: its authentic webhooks are quarantined. `draining`: they still are, while those quarantined before are
    released in order. `finishing`: new ones are processed, and the last quarantined ones are released. `active`: there
    are none left. `since` is the time of the pause.
    """

    provider: str
    state: ProviderPhase
    reason: str
    by: str
    since: Micros
    at: Micros


class SecretSeen(Record, frozen=True, kw_only=True):
    """A gateway has started with this secret for the first time; the secret itself is never published."""

    secret_setting: str
    fingerprint: str
    at: Micros
