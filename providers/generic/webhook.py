"""Contract A: payment, shipping and refund webhooks from any sender that signs with the shop's secret.

`X-Webhook-Signature` is the hex HMAC-SHA256 of the raw body. It signs no time, so a webhook never becomes stale.
"""

from collections.abc import Sequence

from providers.contract import Forged, Provider, Received, Translation
from providers.generic import kinds
from providers.generic.translation import TRANSLATORS
from providers.signing import idempotency_key
from providers.signing.hmac_hex import verify_raw_or_compact
from stream.events import Verification

SIGNATURE = "x-webhook-signature"


def verify(received: Received, secrets: Sequence[bytes]) -> Verification:
    """Return `signature` if the header holds the signature of the raw body or its compact form; else raise Forged.

    Contract A signs `JSON.stringify(payload)`, and one of its examples is posted indented.
    """
    if not received.headers.get(SIGNATURE):
        raise Forged("X-Webhook-Signature is missing")
    return verify_raw_or_compact(received, "X-Webhook-Signature", secrets)


def translate(received: Received, kind: str) -> Translation:
    """Translate a webhook of contract A, with its Idempotency-Key if it has one.

    Raises WrongEvent for a body of another kind, Malformed or InvalidField for one that cannot be read, InvalidField
    also for an unusable Idempotency-Key.
    """
    translation = idempotency_key.with_provider_event_id(TRANSLATORS[kind](received), received)
    kinds.check(received.body, kind)
    return translation


PROVIDER = Provider(
    name="generic",
    paths={"/webhooks/payment": "payment", "/webhooks/shipping": "shipping", "/webhooks/refund": "refund"},
    secret_setting="WEBHOOK_SECRET",
    verify=verify,
    translate=translate,
    stored_headers=frozenset({SIGNATURE, idempotency_key.HEADER}),
    events="a payment, a parcel's scan, a refund",
    authentication="`X-Webhook-Signature`: hex HMAC-SHA256 of the raw body, or of its compact form",
)
