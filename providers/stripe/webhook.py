"""Stripe: checkout sessions, payment intents, charges, refunds and disputes, signed with a time (`Stripe-Signature`).

The scheme is that of the official SDK, except that a time too far in the future is refused as well.
"""

import re
from collections.abc import Sequence

import msgspec

from providers.contract import Forged, InvalidField, Provider, Received, Stale, Translation, Unsigned, Unsupported
from providers.parsing import json_body
from providers.responses import always, json_response
from providers.signing.comparison import any_equal
from providers.signing.signed_time import is_timely, timed_signature
from providers.stripe import disputes, payments, refunds
from providers.stripe.objects import StripeEventHead
from stream.events import Verification

SIGNATURE = "stripe-signature"
MAX_TRIES = 10
"""Maximum number of v1 signatures in one header that are compared; Stripe sends two while a secret is rolled."""
TOLERANCE_S = 300
"""Maximum distance of a signed time from ours, past or future (stripe-python's `Webhook.DEFAULT_TOLERANCE`)."""
_TIME = re.compile(r"\d{1,12}", re.ASCII)
_head = msgspec.json.Decoder(StripeEventHead)


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Return `signature` if the header has a v1 signature of its time and the raw body with one of the secrets.

    Raises Unsigned without the header, Forged if no signature fits, Stale if the time is over TOLERANCE_S away.
    """
    header = received.headers.get(SIGNATURE)
    if not header:
        raise Unsigned("Stripe-Signature is missing")
    parts = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    given = [value.encode("latin-1") for name, _, value in parts if name == "v1"][:MAX_TRIES]
    if len(times) != 1 or not _TIME.fullmatch(times[0]):
        raise Forged("Stripe-Signature must have one time t, in seconds")
    if not any_equal((timed_signature(received.body, secret, str(int(times[0]))) for secret in secrets), given):
        raise Forged("Stripe-Signature has no v1 that is the HMAC-SHA256 of its time and this body")
    if not is_timely(received.received_at, times[0], TOLERANCE_S):
        raise Stale(f"Stripe-Signature was made more than {TOLERANCE_S} s from now")
    return "signature"


def translate(received: Received, _kind: str) -> Translation:
    """Translate a snapshot event.

    Raises Unsupported for other types, thin events and events in a cloud provider's envelope, Malformed or InvalidField
    for a body that cannot be read.
    """
    head = json_body.read(_head, received.body)
    if head.object not in (None, "event") or bytes(head.detail) or head.specversion is not None:
        raise Unsupported("only snapshot events that Stripe posts itself are read")
    if not head.type:
        raise InvalidField("type is missing")
    if head.type in disputes.TYPES:
        return disputes.read(received.body)
    if head.type in refunds.TYPES:
        return refunds.read(received.body)
    return payments.read(received.body, head.type)


PROVIDER = Provider(
    name="stripe",
    paths={"/api/webhooks/stripe": "any"},
    secret_setting="STRIPE_WEBHOOK_SECRET",
    verify=verify,
    translate=translate,
    stored_headers=frozenset({SIGNATURE}),
    events="`checkout.session.*`, `payment_intent.*`, `charge.*` (disputes too) and `refund.*`; others are quarantined",
    authentication=f"`Stripe-Signature`: HMAC-SHA256 of time and raw body, within {TOLERANCE_S} s",
    success_response=always(json_response(200, {"received": True})),
    refusals={
        "invalid_signature": json_response(
            400, {"error": "invalid_signature", "message": "Stripe-Signature is missing or not of these bytes"}
        ),
        "stale_timestamp": json_response(
            400,
            {"error": "stale_timestamp", "message": f"Stripe-Signature was made more than {TOLERANCE_S} s from now"},
        ),
    },
)
