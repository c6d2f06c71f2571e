"""Helpers for providers whose webhooks are verified by a request to their API."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from providers.contract import Contradicted, InvalidField, Malformed, Received
from providers.parsing import json_body
from stream.events import OrderId, Verification, VerificationRequest

T = TypeVar("T")

_RESERVED = re.compile(rb"[^A-Za-z0-9._~-]")


def accept_unsigned(_received: Received, _secrets: Sequence[bytes]) -> Verification:
    """Return `unsigned_allowed` for any request: nothing authenticates it, and it only causes a request to the API."""
    return "unsigned_allowed"


def quoted(name: str) -> str:
    """Percent-encode a name for one path segment or query value of a URL (RFC 3986 §2.1).

    The import rules keep urllib out of this package.
    """
    return _RESERVED.sub(lambda octet: b"%%%02X" % ord(octet[0]), name.encode()).decode()


def decode(decoder: msgspec.json.Decoder[T], response: bytes) -> T:
    """Decode an API response. Raises InvalidField if it is not JSON or does not fit the decoder's type."""
    try:
        return json_body.read(decoder, response)
    except Malformed as wrong:
        raise InvalidField(f"in the provider's response: {wrong}") from wrong


def check_order(request: VerificationRequest, order_id: OrderId | None) -> None:
    """Raise Contradicted if the webhook names an order and the provider's `order_id` is another, or None."""
    if request.order_id is not None and order_id != request.order_id:
        raise Contradicted("the provider assigns this payment to another order")


def may_have_been(claimed: str | None, actual: str, later: Mapping[str, frozenset[str]]) -> bool:
    """Return whether a payment in state `actual` may once have been in state `claimed`.

    `later` maps a claimed state to all states that a payment may have from then on. Return True without a claim, and
    for a claim that `later` does not list.
    """
    return claimed is None or claimed not in later or actual in later[claimed]


def without_empty(claims: Mapping[str, str | None]) -> dict[str, str]:
    """Return the claims that are neither absent (None) nor empty."""
    return {name: value for name, value in claims.items() if value}
