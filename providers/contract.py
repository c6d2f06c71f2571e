"""The interface of a provider module (`Provider`), and the reasons to refuse a request. No I/O, no clock."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

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


class Received(msgspec.Struct, frozen=True):
    """A request as it arrived. A struct is made in 0.1 µs, a frozen dataclass in 1.1 µs."""

    path: str
    """The URL's path, without the token."""
    headers: Mapping[str, str]
    """The headers by their names in lower case."""
    body: bytes
    """The body, byte for byte."""
    received_at: Micros
    token: str | None = None
    """The last part of the URL's path, or its query parameter `token`; None without one."""
    source: str | None = None
    """The key by which senders are counted: one for each IPv4 address and each IPv6 /64."""


class Translation(msgspec.Struct, frozen=True):
    """The content of a webhook."""

    payload: Payload
    """The content in hookstream's own fields. A VerificationRequest has no state: the confirmer asks the API for it."""
    event_type: str
    occurred_at: Micros | None
    """The provider's time of the event; None if the webhook does not state it."""
    provider_event_id: str | None = None
    """The provider's id of the event. Without one, the digest of the payload identifies the event."""
    mode: Mode | None = None
    """The mode that the webhook states; None if it states none."""
    notes: tuple[str, ...] = ()
    """Texts for the log: the optional fields that were ignored or cut and the reason, without the values."""
    is_id_signed: bool = True
    """False for an id that the signature does not cover (an Idempotency-Key).

    The event can be found by that id, but the digest identifies it. See docs/decisions/0014-idempotency-keys.md.
    """


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
    """The verification of a webhook by its provider's API."""

    api_url: str
    """The default base URL."""
    build_request: Callable[[VerificationRequest, str], ApiRequest]
    """Makes the HTTP request for a verification request, with the API key."""
    read_response: Callable[[VerificationRequest, Received, bytes], Translation]
    """Translates the body of a 2xx response, given the verification request and the webhook.

    Raises Contradicted, NotKnownYet, InvalidField or Unsupported.
    """
    per_second: float = 10.0
    """Maximum number of requests a second."""
    unknown_after_s: float = 3600.0
    """Seconds after the receipt of the webhook in which 404 and NotKnownYet are tried again.

    A provider may not yet know what it has sent itself. Afterwards, the webhook counts as unknown.
    """
    refuses_key: Callable[[bytes], bool] = _never
    """Returns whether the body of a 2xx response says that the API refuses the key, as GraphQL does; raises nothing.

    An API that answers 401 or 403 needs none.
    """


READ_FAILURES = frozenset({"malformed_body", "invalid_field", "wrong_event"})
"""Causes of an authenticated body that cannot be read: its bytes are quarantined before the response is sent."""
_SUCCESS = always(SUCCESS)


@dataclass(frozen=True, slots=True)
class Provider:
    """One row of the catalogue: a provider and one contract by which it sends."""

    name: str
    paths: Mapping[str, str]
    """Path → the kind of webhook posted there."""
    secret_setting: str
    """The name of the setting with the secrets."""
    verify: Callable[[Received, Sequence[bytes]], Verification]
    """Returns how a request was authenticated, given the secrets of `secret_setting`; raises Forged or Stale."""
    translate: Callable[[Received, str], Translation]
    """Translates an authenticated request of the kind of its path.

    Raises Malformed, InvalidField, WrongEvent or Unsupported.
    """
    stored_headers: frozenset[str]
    """Headers that are stored with a webhook, because verifying and translating it again needs them."""
    events: str = ""
    """For docs/providers.md: the events that are read."""
    authentication: str = ""
    """For docs/providers.md: how the events are authenticated."""
    success_response: Callable[[str, str], WebhookResponse] = _SUCCESS
    """Makes the response from the id and the type of an event, for a quarantined webhook from its id and the cause."""
    refusals: Mapping[str, WebhookResponse] = field(default_factory=dict)
    """Cause → the response that replaces the gateway's own."""
    unreadable_response: Callable[[str], WebhookResponse] | None = None
    """Makes the response to a quarantined body that cannot be read, from the error message; None: 400."""
    no_secret_response: WebhookResponse | None = None
    """The response while no secret is set; None: 404.

    The body is stored unverified for 30 days, and dropped beyond the gateway's rate for such bodies.
    """
    spooled_response: WebhookResponse | None = None
    """The response while an event is in the gateway's spool and not yet in Kafka; None: `success_response`."""
    is_unsigned: bool = False
    """True if nothing authenticates the webhooks. With {NAME}_ACTIVE true, the paths are served without a secret."""
    takes_token: bool = False
    """True if the secret may be part of the URL."""
    takes_forms: bool = False
    """True if bodies may be form parameters."""
    translate_unsigned: Callable[[Received, str], Translation] | None = None
    """Translates a request without a signature to a VerificationRequest.

    It is used only where {NAME}_ALLOW_UNSIGNED is set.
    """
    api_verification: ApiVerification | None = None
    """None for a provider whose API is not asked."""
    deadline_s: float = 3.4
    """Seconds that Kafka has for a webhook, and after it the spool.

    The answer must come before the provider's timeout.
    """

    def refusal(self, cause: str, message: str) -> WebhookResponse | None:
        """Return the provider's own response to a request refused for `cause`; None if the gateway's is to be sent."""
        if cause in self.refusals:
            return self.refusals[cause]
        return self.unreadable_response(message) if self.unreadable_response and cause in READ_FAILURES else None

    def select_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return those of a request's headers that are stored with its webhook (`stored_headers`)."""
        return {name: headers[name] for name in self.stored_headers if name in headers}
