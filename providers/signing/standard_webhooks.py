"""Standard Webhooks 1.0.0: `webhook-signature` is a list of base64 HMAC-SHA256 of `{id}.{timestamp}.{body}`.

Only the symmetric scheme `v1` is supported; signatures of other schemes are ignored. A secret is base64, with or
without the prefix `whsec_` and padding.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Sequence

from providers.contract import Forged, Received, Stale
from providers.signing.comparison import any_equal
from providers.signing.signed_time import is_timely

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
HEADERS = frozenset({ID, TIMESTAMP, SIGNATURE})
TOLERANCE_S = 300
"""Maximum distance of a signed time from ours, past or future, in seconds; as in the reference libraries."""

MAX_TRIES = 20
"""Maximum number of signatures in one header that are compared."""

_SECONDS = re.compile(r"\d{1,12}", re.ASCII)


def verify(received: Received, secrets: Sequence[bytes]) -> None:
    """Return if `webhook-signature` has a signature of id, time and raw body with one of the secrets.

    Raises Forged without such a signature, id or time, Stale if the signed time is more than TOLERANCE_S away.
    """
    name, timestamp = received.headers.get(ID, ""), received.headers.get(TIMESTAMP, "")
    if not name or not _SECONDS.fullmatch(timestamp):
        raise Forged("webhook-id or webhook-timestamp is missing")
    payload = f"{name}.{timestamp}.".encode("latin-1") + received.body
    given = [part.encode("latin-1") for part in received.headers.get(SIGNATURE, "").split(" ")[:MAX_TRIES]]
    if not any_equal((_signature(payload, key) for key in map(key_of, secrets) if key), given):
        raise Forged("webhook-signature is not the HMAC-SHA256 of this body, id and time")
    if not is_timely(received.received_at, timestamp, TOLERANCE_S):
        raise Stale(f"webhook-timestamp is more than {TOLERANCE_S} s away")


def sign(payload: bytes, secret: bytes, at: int, webhook_id: str) -> dict[str, str]:
    """Return the headers for a body sent at a time in microseconds. A webhook that is sent again keeps its id."""
    timestamp = str(at // 1_000_000)
    signature = _signature(f"{webhook_id}.{timestamp}.".encode() + payload, key_of(secret))
    return {"Webhook-Id": webhook_id, "Webhook-Timestamp": timestamp, "Webhook-Signature": signature.decode()}


def key_of(secret: bytes) -> bytes:
    """Decode a secret to its key. A secret that is not base64 gives an empty key, which `verify` ignores."""
    encoded = secret.removeprefix(b"whsec_")
    try:
        return base64.b64decode(encoded + b"=" * (-len(encoded) % 4), validate=True)
    except binascii.Error:
        return b""


def _signature(payload: bytes, key: bytes) -> bytes:
    return b"v1," + base64.b64encode(hmac.digest(key, payload, "sha256"))
