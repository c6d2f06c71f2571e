"""The interface of a provider module (`Provider`), and the reasons to refuse a request. No I/O, no clock."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from providers.responses import SUCCESS, WebhookResponse, always
from stream.events import Micros, Mode, Payload, Verification, VerificationRequest

# A new cause needs a status in gateway/http/refusals.py, which holds all causes that are answered, and a row in
# docs/answers.md.
Cause = Literal[
    "invalid_signature",
    "stale_timestamp",
    "malformed_body",
    "invalid_field",
    "wrong_event",
    "unsupported_type",
]


class RefusedWebhook(ValueError):
    """The request is not a webhook that we accept, for `cause`. The message is sent to its sender."""

    cause: Cause = "malformed_body"


class Forged(RefusedWebhook):
    """The signature or token is missing, or matches none of the valid secrets."""

    cause: Cause = "invalid_signature"


class Unsigned(Forged):
    """The request has no signature at all, so it may be genuine, and its provider's API may confirm it."""


class Stale(RefusedWebhook):
    """The signed time is too old or too far in the future. Only some schemes sign a time."""

    cause: Cause = "stale_timestamp"


class Malformed(RefusedWebhook):
    """The body is not in the provider's format, such as JSON."""

    cause: Cause = "malformed_body"


class InvalidField(RefusedWebhook):
    """A required field is missing, or a field has a value that cannot be used."""

    cause: Cause = "invalid_field"


class WrongEvent(RefusedWebhook):
    """The body describes another kind of event than its path accepts."""

    cause: Cause = "wrong_event"


class Unsupported(RefusedWebhook):
    """The webhook is genuine, but we do not act on it: it is quarantined and answered as a success.

    A provider whose `refusals` have this cause gets that answer instead.
    """

    cause: Cause = "unsupported_type"


class Contradicted(Exception):
    """The provider's API contradicts the webhook: what it claims never happened."""


class NotKnownYet(Exception):
    """The provider's API does not know the subject yet. A later request may succeed."""


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived.

    Header names are in lower case, `body` is byte for byte, `received_at` is in microseconds since 1970 UTC. `token` is
    the last part of the URL's path, or its query parameter `token`; `path` is without it. `source` is the key by which
    senders are counted: one for each IPv4 address and each IPv6 /64.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes
    received_at: Micros
    token: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Translation:
    """The content of a webhook as a payload, with its event type and time (microseconds since 1970 UTC).

    A payload that is a VerificationRequest carries no state: the confirmer asks the provider's API for it.
    `occurred_at` and `mode` are None if the webhook does not state them.

    Without `provider_event_id`, the digest of the payload identifies the event. `is_id_signed` is False for an id that
    the signature does not cover (an Idempotency-Key): the event can be found by that id, but the digest identifies it.
    See docs/decisions/0014-idempotency-keys.md.

    `notes` are logged: they name the optional fields that were ignored or cut and the reason, without the values.
    """

    payload: Payload
    event_type: str
    occurred_at: Micros | None
    provider_event_id: str | None = None
    mode: Mode | None = None
    notes: tuple[str, ...] = ()
    is_id_signed: bool = True


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request to a provider's API. `path` follows the API's base URL; it begins with a slash and may have a query."""

    method: Literal["GET", "POST"]
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


def _never(_: bytes) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class ApiVerification:
    """The verification of a webhook by its provider's API.

    `build_request` makes the HTTP request for a verification request, with the API key. `read_response` takes the
    verification request, the webhook and the body of a 2xx response, and translates the latter; it raises Contradicted,
    NotKnownYet, InvalidField or Unsupported. `api_url` is the default base URL. At most `per_second` requests are sent.
    For `unknown_after_s` seconds after the webhook came, 404 and NotKnownYet are tried again: a provider may not yet
    know what it has sent itself. Afterwards, the webhook counts as unknown. `refuses_key` returns whether the body of a
    2xx response says that the API refuses the key, as GraphQL does; it raises nothing. An API that answers 401 or 403
    needs none.
    """

    api_url: str
    build_request: Callable[[VerificationRequest, str], ApiRequest]
    read_response: Callable[[VerificationRequest, Received, bytes], Translation]
    per_second: float = 10.0
    unknown_after_s: float = 3600.0
    refuses_key: Callable[[bytes], bool] = _never


READ_FAILURES = frozenset({"malformed_body", "invalid_field", "wrong_event"})
"""Causes of an authenticated body that cannot be read: its bytes are quarantined before the response is sent."""
_SUCCESS = always(SUCCESS)


@dataclass(frozen=True, slots=True)
class Provider:
    """One row of the catalogue: a provider and one contract by which it sends.

    `paths` maps each path to the kind of webhook posted there. `verify` takes a request and the secrets of the setting
    `secret_setting`, and returns how the request was authenticated, or raises Forged or Stale. `translate` takes an
    authenticated request and the kind of its path; it may raise Malformed, InvalidField, WrongEvent or Unsupported.
    `stored_headers` are stored with a webhook, because verifying and translating it again needs them. `events` and
    `authentication` are texts for docs/providers.md: which events are read, and how they are authenticated.

    `success_response` makes the response from the id and the type of an event, for a quarantined webhook from its id
    and the cause. `refusals` replace the gateway's own responses, by cause. `unreadable_response` makes the response to
    a quarantined body that cannot be read, from the error message; None: 400. `no_secret_response` is the response
    while no secret is set, the body being quarantined; None: 404. `spooled_response` replaces the success response
    while an event is on the gateway's disk and not yet in Kafka.

    `is_unsigned`: nothing authenticates its webhooks, so the paths are served without a secret. `takes_token`: the
    secret may be part of the URL. `takes_forms`: bodies may be form parameters. `translate_unsigned` translates a
    request without a signature to a VerificationRequest; it is used only where {NAME}_ALLOW_UNSIGNED is set.
    `api_verification` is None for a provider whose API is not asked. `deadline_s` is the time that Kafka, and after it
    the spool, has for a webhook: the answer must come before the provider's timeout.
    """

    name: str
    paths: Mapping[str, str]
    secret_setting: str
    verify: Callable[[Received, Sequence[bytes]], Verification]
    translate: Callable[[Received, str], Translation]
    stored_headers: frozenset[str]
    events: str = ""
    authentication: str = ""
    success_response: Callable[[str, str], WebhookResponse] = _SUCCESS
    refusals: Mapping[str, WebhookResponse] = field(default_factory=dict)
    unreadable_response: Callable[[str], WebhookResponse] | None = None
    no_secret_response: WebhookResponse | None = None
    spooled_response: WebhookResponse | None = None
    is_unsigned: bool = False
    takes_token: bool = False
    takes_forms: bool = False
    translate_unsigned: Callable[[Received, str], Translation] | None = None
    api_verification: ApiVerification | None = None
    deadline_s: float = 3.4

    def refusal(self, cause: str, message: str) -> WebhookResponse | None:
        """Return the provider's own response to a request refused for `cause`; None if the gateway's is to be sent."""
        if cause in self.refusals:
            return self.refusals[cause]
        return self.unreadable_response(message) if self.unreadable_response and cause in READ_FAILURES else None

    def select_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return those of a request's headers that are stored with its webhook (`stored_headers`)."""
        return {name: headers[name] for name in self.stored_headers if name in headers}
