"""What asking payment providers for the truth has in common."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from providers.contract import Contradicted, InvalidField, Malformed, Received
from providers.parsing import json_body
from stream.events import Question, Verification

T = TypeVar("T")

_RESERVED = re.compile(rb"[^A-Za-z0-9._~-]")


def accept_unsigned(received: Received, secrets: Sequence[bytes]) -> Verification:  # noqa: ARG001
    """Nothing in such a webhook proves anything: it raises a question, no more."""
    return "unsigned_allowed"


def segment(name: str) -> str:
    """A name as one segment of a URL's path (RFC 3986 §2.1)."""
    return _RESERVED.sub(lambda octet: b"%%%02X" % ord(octet[0]), name.encode()).decode()


def read(decoder: msgspec.json.Decoder[T], answer: bytes) -> T:
    """A provider's answer as `decoder` types it; raises Unreadable for anything else."""
    try:
        return json_body.read(decoder, answer)
    except Malformed as wrong:
        raise InvalidField(f"of the provider's answer: {wrong}") from wrong


def check_order(question: Question, order_id: str | None) -> None:
    """Raises Untrue when the provider knows the payment as that of another order than the webhook says."""
    if question.order_id is not None and order_id != question.order_id:
        raise Contradicted("the provider knows this payment as that of another order")


def may_have_been(claimed: str | None, actual: str, follow: Mapping[str, frozenset[str]]) -> bool:
    """Whether a payment that is `actual` may once have been as `claimed`; what is not claimed in these words, may."""
    return claimed is None or claimed not in follow or actual in follow[claimed]
