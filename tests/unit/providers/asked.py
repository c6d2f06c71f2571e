"""A webhook as its provider posts it, the question it raises, and what an answer makes of it."""

import json
from collections.abc import Mapping
from typing import Any

from providers.contract import Provider, Received, Translation
from stream.events import Micros, PaymentPayload, VerificationRequest
from tests.unit.providers.posted import NOW

SECRET = b"d2hzZWM="  # base64, as some want it
NONE: Mapping[str, str] = {}


def received(
    provider: Provider, body: Any, headers: Mapping[str, str] = NONE, *, at: int = NOW, secret: bytes = SECRET
) -> Received:
    """A body (bytes as they are, else as JSON) at the provider's own path with the headers it sends."""
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    sent = {name.lower(): value for name, value in provider.sign(raw, secret, at).items()}
    return Received(next(iter(provider.paths)), {**sent, **headers}, raw, Micros(at))


def translated(provider: Provider, body: Any, headers: Mapping[str, str] = NONE) -> Translation:
    return provider.translate(received(provider, body, headers), next(iter(provider.paths.values())))


def verification_request(provider: Provider, body: Any, headers: Mapping[str, str] = NONE) -> VerificationRequest:
    payload = translated(provider, body, headers).payload
    assert isinstance(payload, VerificationRequest)
    return payload


def answered(provider: Provider, body: Any, answer: Any, *, at: int = NOW) -> Translation:
    """What an answer (bytes, else JSON) of the provider's API makes of a webhook."""
    assert provider.api_verification
    posted = received(provider, body, at=at)
    raised = provider.translate(posted, next(iter(provider.paths.values()))).payload
    assert isinstance(raised, VerificationRequest)
    raw = answer if isinstance(answer, bytes) else json.dumps(answer, ensure_ascii=False).encode()
    return provider.api_verification.read_response(raised, posted, raw)


def payment(provider: Provider, body: Any, answer: Any, *, at: int = NOW) -> PaymentPayload:
    payload = answered(provider, body, answer, at=at).payload
    assert isinstance(payload, PaymentPayload)
    return payload
