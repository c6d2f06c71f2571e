"""What a provider's module offers, and the ways in which a request can fail it. No I/O, no clock."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from stream.events import Mode, Notice, Question, Verification

Cause = Literal[
    "invalid_signature",
    "stale_timestamp",
    "malformed_body",
    "invalid_field",
    "wrong_event",
    "unsupported_type",
]


class RefusedWebhook(ValueError):
    """This request is not a webhook we accept; `cause` is from the closed list, the message is for its sender."""

    cause: Cause = "malformed_body"


class Forged(RefusedWebhook):
    """Nobody who knows the secret signed these bytes."""

    cause: Cause = "invalid_signature"


class Unsigned(Forged):
    """No signature came with it at all: right or wrong, nothing tells."""


class Stale(RefusedWebhook):
    """Signed too long ago, or by a clock too far ahead (only schemes that sign a time)."""

    cause: Cause = "stale_timestamp"


class Malformed(RefusedWebhook):
    """The body is not in the provider's format at all."""

    cause: Cause = "malformed_body"


class InvalidField(RefusedWebhook):
    """The body has the format, but a field is missing or not what it must be."""

    cause: Cause = "invalid_field"


class WrongEvent(RefusedWebhook):
    """The body is of another event than this path is for."""

    cause: Cause = "wrong_event"


class Unsupported(RefusedWebhook):
    """Genuine, and nothing we act on: answered as the provider expects, and its bytes are kept."""

    cause: Cause = "unsupported_type"


class Contradicted(Exception):
    """The provider says otherwise: what this webhook tells never happened."""


class NotKnownYet(Exception):
    """The provider does not know what it is asked about, and may learn of it: worth asking again."""


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came: header names in lower case, the body byte for byte, the time in microseconds.

    `token` is what came in the URL after the path, or as `?token=`; the path is without it. `source` is what the
    sender's address is counted as: an IPv4 address or an IPv6 /64.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes
    received_at: int
    token: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Translation:
    """What a webhook says. Without the provider's own event id, the digest of the notice stands in for it.

    `is_id_signed`: the provider's event id is covered by the signature. One that is not (an Idempotency-Key) finds the
    event and is no part of its identity, which is then the digest: see docs/decisions/0014-idempotency-keys.md.

    A notice that is a Question says nothing yet: it goes to the confirmer.

    `notes` say which optional fields were ignored or cut, and why, without their values: they are logged.
    """

    notice: Notice
    event_type: str
    occurred_at: int | None
    provider_event_id: str | None = None
    mode: Mode | None = None
    notes: tuple[str, ...] = ()
    is_id_signed: bool = True


@dataclass(frozen=True, slots=True)
class WebhookResponse:
    """An HTTP answer in the provider's own words."""

    status: int
    body: bytes
    content_type: bytes = b"application/json"


def json_response(status: int, body: object) -> WebhookResponse:
    """An answer with this JSON body."""
    return WebhookResponse(status, msgspec.json.encode(body))


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request to a provider's API, below its base URL."""

    method: Literal["GET", "POST"]
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class ApiVerification:
    """How to verify a webhook by its provider's API.

    `build_request` makes the HTTP request for a verification request, with the API key. `read_response` translates the
    body of a 2xx response, for the webhook to verify; it raises Contradicted, NotKnownYet, InvalidField or Unsupported.
    `per_second` limits the requests. For `unknown_after_s` seconds after the webhook came, a 404 is tried again: a
    provider may not yet know what it has sent itself.
    """

    api_url: str
    build_request: Callable[[Question, str], ApiRequest]
    read_response: Callable[[Question, Received, bytes], Translation]
    per_second: float = 10.0
    unknown_after_s: float = 3600.0


def _succeed(event_id: str, event_type: str) -> WebhookResponse:  # noqa: ARG001
    return SUCCESS


READ_FAILURES = frozenset({"malformed_body", "invalid_field", "wrong_event"})
"""Causes found only after a request was proved: its bytes are in the quarantine before it is answered."""
SUCCESS = WebhookResponse(200, b'{"status":"success"}')


@dataclass(frozen=True, slots=True)
class Provider:
    """One row of the catalogue.

    `paths` gives the kind of webhook posted at each path. `verify` returns how the request was proved, or raises
    Forged or Stale; `translate` reads a verified one, or raises Malformed, Unreadable, WrongEvent or Unsupported;
    `sign` makes the headers with which the provider would send a body at a time (microseconds). `kept_headers` are
    what verifying again needs. `events` and `proof` are for people: what it tells of, and how that is proved.

    `answer` makes the success answer from the event's (or receipt's) id and type. `refusals` are the provider's own
    words for a cause of the gateway's closed list; `unreadable` makes the answer to a genuine body that cannot be read
    and is stored in the quarantine, from why that is; None: 400. `without_secret`: what is answered when no secret is
    set, the body being kept aside; None: 404. `spooled`: what is answered instead of `answer` while the event is safe
    on the gateway's disk and not yet in Kafka. `is_unsigned`: nothing proves its webhooks, so its secret is no
    condition. `takes_token`: its secret can travel in the URL. `takes_forms`: bodies may be form parameters.
    `translate_unsigned` reads, as a Question, one that bears no signature; only where {NAME}_ALLOW_UNSIGNED says so.
    """

    name: str
    paths: Mapping[str, str]
    secret_setting: str
    verify: Callable[[Received, Sequence[bytes]], Verification]
    translate: Callable[[Received, str], Translation]
    sign: Callable[[bytes, bytes, int], dict[str, str]]
    kept_headers: frozenset[str]
    events: str = ""
    proof: str = ""
    answer: Callable[[str, str], WebhookResponse] = _succeed
    refusals: Mapping[str, WebhookResponse] = field(default_factory=dict)
    unreadable: Callable[[str], WebhookResponse] | None = None
    without_secret: WebhookResponse | None = None
    spooled: WebhookResponse | None = None
    is_unsigned: bool = False
    takes_token: bool = False
    takes_forms: bool = False
    translate_unsigned: Callable[[Received, str], Translation] | None = None
    api_verification: ApiVerification | None = None
    deadline_s: float = 3.4

    def refusal(self, cause: str, message: str) -> WebhookResponse | None:
        """The provider's own answer to a request refused for `cause`; None where the gateway's usual one will do."""
        if cause in self.refusals:
            return self.refusals[cause]
        return self.unreadable(message) if self.unreadable and cause in READ_FAILURES else None

    def keep(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Of a request's headers, those that verifying it again needs."""
        return {name: headers[name] for name in self.kept_headers if name in headers}
