"""A webhook as its provider posts it, the question it raises, and what an answer makes of it."""

import json
from typing import Any

from providers.contract import Provider, Received, Translation
from stream.events import PaymentNotice, Question
from tests.unit.providers.posted import NOW


def received(provider: Provider, body: Any, *, at: int = NOW, secret: bytes = b"whsec", **headers: str) -> Received:
    """A body (bytes as they are, else as JSON) at the provider's own path with the headers it sends."""
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    sent = {name.lower(): value for name, value in provider.sign(raw, secret, at).items()}
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Received(next(iter(provider.paths)), {**sent, **given}, raw, at)


def translated(provider: Provider, body: Any, **headers: str) -> Translation:
    return provider.translate(received(provider, body, **headers), next(iter(provider.paths.values())))


def question(provider: Provider, body: Any, **headers: str) -> Question:
    notice = translated(provider, body, **headers).notice
    assert isinstance(notice, Question)
    return notice


def answered(provider: Provider, body: Any, answer: Any, *, at: int = NOW) -> Translation:
    """What an answer (bytes, else JSON) of the provider's API makes of a webhook."""
    assert provider.inquiry
    posted = received(provider, body, at=at)
    raised = provider.translate(posted, next(iter(provider.paths.values()))).notice
    assert isinstance(raised, Question)
    raw = answer if isinstance(answer, bytes) else json.dumps(answer, ensure_ascii=False).encode()
    return provider.inquiry.read_answer(raised, posted, raw)


def payment(provider: Provider, body: Any, answer: Any, *, at: int = NOW) -> PaymentNotice:
    notice = answered(provider, body, answer, at=at).notice
    assert isinstance(notice, PaymentNotice)
    return notice
