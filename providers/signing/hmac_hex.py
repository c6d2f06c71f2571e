"""Signs and checks a header that holds the hex HMAC-SHA256 (RFC 2104) of the body, keyed with a shared secret."""

import hmac
from collections.abc import Sequence

from providers.contract import Forged, Received
from providers.signing.canonical_json import compacted
from providers.signing.comparison import any_equal
from stream.events import Verification


def signature(payload: bytes, secret: bytes) -> str:
    """Return the header's value for a body: lower-case hex."""
    return hmac.digest(secret, payload, "sha256").hex()


def is_valid_signature(payload: bytes, given: bytes, secrets: Sequence[bytes]) -> bool:
    """Return whether `given`, in lower case, is the signature of the body with any of the secrets."""
    return any_equal((signature(payload, secret).encode() for secret in secrets), [given])


def verify_raw(received: Received, header: str, secrets: Sequence[bytes]) -> Verification:
    """Return `signature` if `header` holds the raw body's signature with one of the secrets; else raise Forged.

    The hex digits may be in upper or lower case.
    """
    if is_valid_signature(received.body, _given(received, header), secrets):
        return "signature"
    raise _forged(header)


def verify_raw_or_compact(received: Received, header: str, secrets: Sequence[bytes]) -> Verification:
    """Do the same as `verify_raw`, but also accept the signature of the body's compact form.

    The compact form is made by `canonical_json.compacted`.
    """
    given = _given(received, header)
    if is_valid_signature(received.body, given, secrets):
        return "signature"
    compact = compacted(received.body)
    if compact is not None and is_valid_signature(compact, given, secrets):
        return "signature"
    raise _forged(header)


def _given(received: Received, header: str) -> bytes:
    return received.headers.get(header.lower(), "").lower().encode("latin-1")


def _forged(header: str) -> Forged:
    return Forged(f"{header} is not the HMAC-SHA256 of this body")
