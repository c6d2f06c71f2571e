"""What a provider's module offers, and the ways in which a request can fail it. No I/O, no clock."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from stream.events import Mode, Notice, Verification

Cause = Literal["invalid_signature", "stale_timestamp", "malformed_body", "invalid_field"]


class Refused(ValueError):
    """This request is not a webhook we accept; `cause` is from the closed list, the message is for its sender."""

    cause: Cause = "malformed_body"


class Forged(Refused):
    """Nobody who knows the secret signed these bytes."""

    cause: Cause = "invalid_signature"


class Stale(Refused):
    """Signed too long ago, or by a clock too far ahead (only schemes that sign a time)."""

    cause: Cause = "stale_timestamp"


class Malformed(Refused):
    """The body is not in the provider's format at all."""

    cause: Cause = "malformed_body"


class Unreadable(Refused):
    """The body has the format, but a field is missing or not what it must be."""

    cause: Cause = "invalid_field"


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came: header names in lower case, the body byte for byte, the time in microseconds."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    received_at: int


@dataclass(frozen=True, slots=True)
class Translation:
    """What a webhook says. Without the provider's own event id, the digest of the notice stands in for it."""

    notice: Notice
    event_type: str
    occurred_at: int | None
    provider_event_id: str | None = None
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer in the provider's own words."""

    status: int
    body: bytes
    content_type: bytes = b"application/json"


@dataclass(frozen=True, slots=True)
class Provider:
    """One row of the catalogue.

    `paths` gives the kind of webhook posted at each path. `verify` returns how the request was proved, or raises
    Forged or Stale; `translate` reads a verified one, or raises Malformed or Unreadable; `sign` makes the headers
    with which the provider would send a body. `kept_headers` are what verifying again needs.
    """

    name: str
    paths: Mapping[str, str]
    secret_setting: str
    verify: Callable[[Received, Sequence[bytes]], Verification]
    translate: Callable[[Received, str], Translation]
    sign: Callable[[bytes, bytes], dict[str, str]]
    kept_headers: frozenset[str]
    success: Answer = field(default=Answer(200, b'{"status":"success"}'))
    deadline_s: float = 3.5

    def keep(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Of a request's headers, those that verifying it again needs."""
        return {name: headers[name] for name in self.kept_headers if name in headers}
