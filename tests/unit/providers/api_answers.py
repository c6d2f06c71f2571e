"""A webhook as its provider posts it, its verification request, and its translation after the API's answer."""

import json
from collections.abc import Mapping
from typing import Any

from providers.contract import Provider, Received, Translation
from simulator import signing
from stream.events import Micros, PaymentPayload, VerificationRequest
from tests.unit.providers.posted import NOW

SECRET = b"d2hzZWM="  # base64, which some providers require
NONE: Mapping[str, str] = {}


def received(
    provider: Provider, body: Any, headers: Mapping[str, str] = NONE, *, at: int = NOW, secret: bytes = SECRET
) -> Received:
    """Return a body (bytes as they are, else as JSON) as received at the provider's first path, signed.

    `headers` replace those of the signature; `at` is in microseconds.
    """
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    sent = {name.lower(): value for name, value in signing.sign(provider, raw, secret, at).items()}
    return Received(next(iter(provider.paths)), {**sent, **headers}, raw, Micros(at))


def translated(provider: Provider, body: Any, headers: Mapping[str, str] = NONE) -> Translation:
    """Return the translation of a webhook, before any answer of the API."""
    return provider.translate(received(provider, body, headers), next(iter(provider.paths.values())))


def verification_request(provider: Provider, body: Any, headers: Mapping[str, str] = NONE) -> VerificationRequest:
    """Return the verification request of a webhook, which must have one."""
    payload = translated(provider, body, headers).payload
    assert isinstance(payload, VerificationRequest)
    return payload


def answered(provider: Provider, body: Any, answer: Any, *, at: int = NOW) -> Translation:
    """Return the translation of an unsigned webhook after an answer (bytes, else as JSON) of the provider's API.

    Raises as the provider's `read_response`.
    """
    assert provider.api_verification
    posted = received(provider, body, at=at)
    raised = provider.translate(posted, next(iter(provider.paths.values()))).payload
    assert isinstance(raised, VerificationRequest)
    raw = answer if isinstance(answer, bytes) else json.dumps(answer, ensure_ascii=False).encode()
    return provider.api_verification.read_response(raised, posted, raw)


def payment(provider: Provider, body: Any, answer: Any, *, at: int = NOW) -> PaymentPayload:
    """Return the payment that `answered` gives, which must be one."""
    payload = answered(provider, body, answer, at=at).payload
    assert isinstance(payload, PaymentPayload)
    return payload
